"""What answers mean, as far as rules can tell: with the sentences that such rules stumble over."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.intents import decided, guess
from outreach.models import Enrolment

SENTENCES = {
    "interested": [
        "I am interested, please go on.",
        "Sounds interesting. How does it work?",
        "Tell me more!",
        "We'd be very interested in a trial.",
        "Could you send me some more information?",
        "How much does it cost?",
        "Send us your latest pricing, please.",
        "Klingt interessant, was kostet das?",
        "Ja, wir haben Interesse.",
        "Schicken Sie mir bitte weitere Unterlagen.",
        "Das interessiert uns.",
        "Je suis intéressé par votre offre.",
        "Pouvez-vous m'en dire plus ? J'aimerais en savoir plus.",
        "Envoyez-moi votre documentation.",
        "Me interesa mucho.",
        "Estamos interesados. ¿Cuánto cuesta?",
        "Suena muy bien, envíame más información.",
    ],
    "meeting": [
        "Can we meet on Tuesday?",
        "Let's schedule a call.",
        "Thursday at 3 works for me.",
        "Happy to have a chat, are you free next week?",
        "I am interested. Could we set up a meeting?",
        "Please send me a calendar invite.",
        "Können wir am Dienstag telefonieren?",
        "Donnerstag um 15 Uhr passt mir gut.",
        "Gerne einen Termin vereinbaren.",
        "Pouvons-nous nous parler mardi ?",
        "Je vous propose de fixer un rendez-vous.",
        "¿Podemos hablar el jueves?",
        "Podríamos agendar una llamada.",
    ],
    "not_now": [
        "No interest until May.",
        "Not interested at the moment, maybe next year.",
        "Interesting, but not now.",
        "This is not a good time.",
        "Please reach out again next quarter.",
        "We have no budget right now.",
        "Not yet, we are still moving offices.",
        "Derzeit haben wir keinen Bedarf.",
        "Im Moment kein Interesse, melden Sie sich gerne nächstes Jahr wieder.",
        "Vielleicht später.",
        "Pas pour le moment.",
        "Recontactez-moi dans six mois.",
        "Por ahora no.",
        "Ahora mismo no nos interesa, escríbame el año que viene.",
    ],
    "not_interested": [
        "Not interested.",
        "We're not interested, thanks.",
        "No, thank you.",
        "Please remove me from your list.",
        "Stop emailing me!",
        "We do not need this.",
        "I'll pass.",
        "Kein Interesse.",
        "Wir sind nicht interessiert.",
        "Nein danke. Bitte löschen Sie meine Adresse.",
        "Cela ne nous intéresse pas, non merci.",
        "Je ne suis pas intéressé.",
        "No me interesa, gracias.",
        "No estamos interesados.",
    ],
    "wrong_person": [
        "I am not the right person.",
        "I'm not the right contact for this, but my colleague would be interested.",
        "I no longer work at Acme.",
        "You have the wrong person.",
        "Dafür bin ich nicht zuständig.",
        "Ich bin leider nicht der richtige Ansprechpartner.",
        "Je ne suis pas la bonne personne.",
        "No soy la persona adecuada.",
        "Ya no trabajo en esta empresa.",
    ],
    "": [
        "",
        "Thanks.",
        "Who are you?",
        "Why would I be interested?",
        "If I were interested, I would have answered.",
        "Not interested in a call, but send me some details.",
        "I am not the right person and we are not interested.",
        "Please see https://acme.example/unsubscribe for how others do it.",
        "The meeting was cancelled.",
        "Warum sollte mich das interessieren?",
        "> I am interested\n> Can we meet on Tuesday?",
        "Merci pour votre message.",
        "Recibido.",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        pytest.param(text, intent, id=text[:50] or "nothing")
        for intent, texts in SENTENCES.items()
        for text in texts
    ],
)
def test_what_an_answer_means(text, intent):
    assert guess(text) == intent


def test_capitals_accents_and_curly_apostrophes_make_no_difference():
    assert guess("WE’RE NOT INTERESTED") == guess("We're not interested") == "not_interested"
    assert guess("Je suis intéressé") == guess("je suis interesse") == "interested"


def test_what_stands_far_below_is_not_read():
    assert guess("Hello.\n" * 1000 + "I am interested.") == ""


def test_contradictions_are_left_to_people():
    assert decided({"meeting", "not_interested"}) == ""
    assert decided({"meeting", "interested"}) == "meeting"
    assert decided({"not_now", "not_interested", "interested"}) == "not_now"
    assert decided(()) == ""


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=400))
def test_any_text_gets_a_known_intent_or_none(text):
    assert guess(text) in {"", *Enrolment.Intent.values}
