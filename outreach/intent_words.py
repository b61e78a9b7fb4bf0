"""The words by which outreach.intents tells what an answer means: English, German, French and Spanish.

One alternative a line, in small letters without accents, as regular expressions; a line that begins with
blanks goes on with the one before it. {day}, {now} and {later} stand for the words below, and ~ for a few
words of the same sentence.
"""

from outreach.models import Enrolment

Intent = Enrolment.Intent

FRAGMENTS = {
    "day": r"""
monday|tuesday|wednesday|thursday|friday|tomorrow|next week|this week|montag|dienstag|mittwoch|
  donnerstag|freitag|morgen|nachste[rn]? woche|naechste[rn]? woche|diese woche|lundi|mardi|
  mercredi|jeudi|vendredi|demain|la semaine prochaine|cette semaine|lunes|martes|miercoles|
  jueves|viernes|manana|la (?:proxima semana|semana que viene)|esta semana
""",
    "later": r"""
next (?:year|quarter|month|spring|summer|autumn|fall|winter)|
  in (?:a few|some|two|three|six|\d+) months|until (?:next )?\w+|later (?:this|in the) year|
  (?:nachste[sn]?|naechste[sn]?|kommende[sn]?) (?:jahr|quartal|monat)|
  im (?:neuen jahr|herbst|fruhjahr)|l'annee prochaine|le (?:mois|trimestre) prochain|
  dans (?:quelques|deux|trois|six|\d+) mois|(?:el )?(?:ano|mes|trimestre) que viene|
  el proximo (?:ano|mes|trimestre)|en (?:unos|dos|tres|seis) meses
""",
    "now": r"""
right now|at the moment|at present|currently|at this (?:time|point|stage)|for now|
  for the time being|now|derzeit|momentan|im moment|zur ?zeit|aktuell|gerade|jetzt|
  pour (?:le moment|l'instant)|actuellement|en ce moment|por (?:el momento|ahora)|de momento|
  ahora(?: mismo)?|en este momento|actualmente
""",
}
# In the order in which they are asked.
RULES = {
    Intent.WRONG_PERSON: r"""
(?:not|no longer) (?:really |quite )?the (?:right|correct|best) (?:person|contact|one|guy|address)
\b(?:wrong|incorrect) (?:person|contact|address|guy|department)\b
\b(?:no longer|don'?t|do not|not) (?:work|working|employed)(?: here| there| (?:at|for|with) )
\b(?:left|have left|has left) the (?:company|organi[sz]ation|firm)\b
\b(?:not|isn'?t) (?:my|in my) (?:area|responsibility|department|remit)\b
\b(?:nicht|nicht mehr) (?:der|die) (?:richtige|zustandige|zustaendige)
\bfalsche[rn]? ansprechpartner
\b(?:nicht|nicht mehr) (?:dafur |dafuer |hierfur |hierfuer )?(?:zustandig|zustaendig)\b
\bpas la bonne personne\b
\bpas le bon (?:contact|interlocuteur)\b
\bmauvaise personne\b
\bne travaille plus\b
\bpas (?:moi )?(?:le|la) responsable\b
\bno soy la persona (?:adecuada|indicada|correcta)\b
\bpersona equivocada\b
\bya no trabajo\b
""",
    Intent.NOT_NOW: r"""
\b(?:not|no|isn'?t|aren'?t) (?:really |currently )?(?:a priority |interested |interest |looking |
  relevant |for us |the right time )?(?:{now})\b
\b(?:no|not) (?:interest|interested|budget|time|need|capacity)\b~\b(?:{later}|{now})\b
\bnot (?:a|the) (?:good|best|right) time\b
\bbad time\b
\btiming (?:is|isn'?t)\b
\b(?:reach out|get back|check back|come back|try|contact me|contact us|write|ping me|circle back|
  follow up|touch base|revisit)\b~\b(?:again|{later})\b
\b(?:maybe|perhaps|rather)\b~\b(?:later|{later})\b
\bnot (?:just )?yet\b
\b(?:{now})\b~ (?:kein|keine|keinen|nicht)\b
\b(?:kein|keine|keinen|nicht)\b~ (?:{now})\b
\b(?:melden sie sich|kommen sie|sprechen wir|melde mich)\b~(?:{later}|spater|spaeter|wieder|
  noch ?mal)
\b(?:vielleicht|eher)\b~(?:spater|spaeter|{later})
\b(?:pas|aucun|rien)\b~ (?:{now})
\bpas (?:encore|maintenant)\b
\b(?:{now}),? non\b
\b(?:recontacte\w*|revene\w*|relance\w*|rappele\w*)\b~(?:plus tard|{later})
\bplutot plus tard\b
\bpeut-etre plus tard\b
\b(?:{now}),? no\b
\bno\b~ (?:{now})\b
\btodavia no\b
\b(?:contact\w+|escrib\w+|vuelv\w+|llam\w+)\b~(?:mas adelante|{later})
\b(?:tal vez|quiza|quizas|mejor) mas (?:adelante|tarde)\b
""",
    Intent.NOT_INTERESTED: r"""
\b(?:not|never|aren'?t|isn'?t|hardly|neither)\b(?: \w+){0,2} interested\b
\buninterested\b
\b(?:no|zero|any) (?:further )?interest\b
\bno,? thank(?:s| you)\b
\bnot for (?:us|me)\b
\b(?:don'?t|do not|won'?t|no longer|never) (?:need|want|require|buy|use)\b
\bno need\b
\b(?:please |kindly )?(?:remove|unsubscribe|delete) (?:me|us|my|our)\b
\btake (?:me|us) off\b
\bplease unsubscribe\b
\b(?:stop|quit) (?:e-?mailing|writing|contacting|sending|spamming)\b
\bleave (?:me|us) alone\b
\b(?:don'?t|do not|never) (?:contact|e-?mail|write|call) (?:me|us)\b
\bwe(?:'ll| will)? pass\b
\bi(?:'ll| will) pass\b
\bkein(?:erlei|e|en)? (?:interesse|bedarf)\b
\bnicht (?:\w+ )?interessier\w*
\bnein,? danke\b
\b(?:streichen|loschen|loeschen|entfernen|nehmen) sie (?:mich|uns|meine)\b
\bkeine (?:weiteren |weitere )?(?:mails|e-mails|nachrichten)\b
\bpas (?:du tout |vraiment )?interess\w+
\baucun (?:interet|besoin)\b
\bnon,? merci\b
\bpas besoin\b
\b(?:ne me|ne nous) (?:contactez|ecrivez|relancez)\b
\b(?:desabonne|desinscri|retire|supprime)\w*-moi\b
\bno (?:\w+ ){0,2}interesa\w*
\bno (?:\w+ ){0,2}interesad\w+
\bsin interes\b
\bno,? gracias\b
\bno (?:lo |la )?necesit\w+
\b(?:dejen? de|no (?:me|nos) (?:vuelv\w+ a )?)(?:escrib\w+|contact\w+|envi\w+)\b
\b(?:denme|dame) de baja\b
""",
    Intent.MEETING: r"""
\b(?:meet|call|talk|speak|chat|catch up|free|available|works?|zoom|teams)\b~\b(?:{day})\b
\b(?:{day})\b~\b(?:works?|suits?|is (?:good|fine|ok|okay)|at \d)
\b(?:can|could|shall|should) (?:we|you) (?:\w+ )?(?:meet|schedule|set up|arrange|book|jump on|
  hop on)\b
\b(?:let'?s|happy to|glad to|love to|like to|want to|i can|we can) (?:\w+ )?(?:meet|schedule|set up|
  arrange|book|jump on|hop on|have a (?:call|chat|meeting)|talk|speak)\b
\b(?:send|share) (?:me |us )?(?:a|an|your|the) (?:calendar|invite|invitation|meeting|booking|
  calendly)
\bwhen (?:are you|would you be) (?:free|available)\b
\bbook(?:ed)? a (?:slot|time|meeting|call)\b
\b(?:treffen|telefonieren|sprechen|termin|telefonat|passt|passen)\b~\b(?:{day})\b
\b(?:{day})\b~\b(?:passt|passen|treffen|telefonieren|sprechen|um \d)
\b(?:konnen|koennen|wollen|sollen) wir (?:\w+ ){0,3}(?:treffen|telefonieren|sprechen|termin)\b
\b(?:termin|telefonat|treffen) (?:vereinbaren|ausmachen)\b
\b(?:rencontrer|appeler|parler|echanger|rendez-vous|rdv|disponible|libre)\b~\b(?:{day})\b
\b(?:fixer|prendre|convenir d'un|organiser) (?:un |une )?(?:rendez-vous|rdv|appel|reunion|creneau)\b
\bpouvons-nous (?:nous )?(?:rencontrer|parler|appeler|echanger)\b
\b(?:reunir\w*|hablar|hablamos|llamada|llamar\w*|vernos|quedar|quedamos|reunion|
  cita)\b~\b(?:{day})\b
\b(?:podemos|podriamos) (?:reunirnos|hablar|vernos|agendar|quedar)\b
\bagendar (?:una )?(?:llamada|reunion)
""",
    Intent.INTERESTED: r"""
\b(?:i'?m|i am|we'?re|we are|i'?d be|we'?d be|would be) (?:\w+ ){0,2}interested\b
\b(?:sounds|looks|seems) (?:\w+ )?(?:interesting|good|great|promising)\b
\bvery interesting\b
\btell (?:me|us) more\b
\b(?:like|love|want|curious) to (?:know|learn|hear|see) (?:\w+ )?more\b
\b(?:send|share|give) (?:me|us|over) (?:\w+ ){0,3}(?:info|information|details|offer|quote|pricing|
  prices?|brochure|proposal)\b
\bhow much (?:does|would|is)\b
\bwhat (?:does it|would it|are your) (?:cost|prices?|rates)\b
\b(?:klingt|hort sich|hoert sich) (?:\w+ )?(?:interessant|gut|spannend|an)\b
\bsehr interessant\b
\b(?:haben|hatten|haetten|habe) (?:\w+ )?interesse\b
\binteressier(?:t|en) (?:mich|uns)\b
\b(?:bin|sind|ware|waere) (?:\w+ )?interessiert\b
\b(?:schicken|senden) sie (?:mir|uns) (?:\w+ ){0,3}(?:infos?|informationen|unterlagen|angebot|
  details)\b
\bmehr (?:erfahren|dazu)\b
\bwas kostet\b
\b(?:je suis|nous sommes|serais|serions) (?:\w+ )?interess\w+
\bca m'?interesse\b
\bcela m'?interesse\b
\b(?:envoye\w*|transmett\w+)[ -](?:moi|nous) (?:\w+ ){0,3}(?:infos?|informations|details|offre|
  devis|tarifs?|documentation)\b
\ben savoir plus\b
\bquel est (?:le|votre) (?:prix|tarif)\b
\b(?:me|nos) interesa(?:ria)?\b
\b(?:estoy|estamos) (?:\w+ )?interesad\w+
\bsuena (?:muy )?(?:bien|interesante)\b
\b(?:envieme|enviame|envienos|mandame|mandeme) (?:\w+ ){0,3}(?:informacion|detalles|oferta|precios?|
  propuesta)\b
\bsaber mas\b
\bcuanto cuesta\b
""",
}
