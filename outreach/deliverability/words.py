"""Words and shapes that spam filters dislike: warnings that say which, for an author to weigh."""

from __future__ import annotations

import re
from collections.abc import Iterator

from outreach.bodies import text_from_html
from outreach.letters import is_html
from outreach.models import SequenceStep

LONGEST_SUBJECT = 70
MOST_LINKS = 3
MOST_EXCLAMATIONS = 2
SHORTEST_TEXT = 20  # characters of an HTML mail beside its images

# What honest mail to one person seldom says. Few and plain on purpose: filters weigh much more than words.
SPAM = (
    # English
    "100% free", "act now", "as seen on", "buy now", "cash bonus", "click here", "congratulations",
    "dear friend", "double your", "earn money", "extra cash", "fast cash", "free gift", "free money",
    "guaranteed", "limited time", "lowest price", "make money", "money back", "no obligation", "no risk",
    "once in a lifetime", "order now", "risk free", "risk-free", "special promotion", "this is not spam",
    "urgent", "winner", "you have been selected",
    # German
    "100% kostenlos", "einmalige gelegenheit", "garantiert", "geld verdienen", "geld zurück", "gratis",
    "herzlichen glückwunsch", "hier klicken", "jetzt bestellen", "jetzt kaufen", "kein risiko",
    "kostenlos testen", "nur heute", "sofort reich", "unverbindlich", "zeitlich begrenzt",
    # French
    "100 % gratuit", "100% gratuit", "achetez maintenant", "argent facile", "cadeau gratuit", "cliquez ici",
    "félicitations", "gagnez de l'argent", "garanti", "gratuit", "offre exceptionnelle", "offre limitée",
    "sans engagement", "sans risque", "satisfait ou remboursé",
)  # fmt: skip

_SPAM = re.compile(r"(?<!\w)(?:" + "|".join(re.escape(phrase) for phrase in SPAM) + r")(?!\w)", re.IGNORECASE)
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_LINK = re.compile(r"https?://", re.IGNORECASE)
_HREF = re.compile(r"<a\s[^>]*href", re.IGNORECASE)
_IMAGE = re.compile(r"<img\b", re.IGNORECASE)
_ANSWER = re.compile(r"\s*(re|aw|fwd?|wg|tr)\s*:", re.IGNORECASE)


def of_step(step: SequenceStep) -> Iterator[str]:
    for variant in step.variants:
        where = f"Step {step.number}" + (f", variant {variant['key']}" if len(step.variants) > 1 else "")
        faults = warnings(variant["subject"], variant["body"], is_first=step.number == 1)
        yield from (f"{where}: {fault}" for fault in faults)


def warnings(subject: str, body: str, *, is_first: bool = False) -> list[str]:
    """What to reconsider in these words, each as a sentence. Placeholders are not judged."""
    subject, body = _LIQUID.sub("", subject), _LIQUID.sub("", body)
    return [*of_subject(subject, is_first=is_first), *of_words(f"{subject}\n{body}"), *of_shape(body)]


def of_subject(subject: str, *, is_first: bool) -> Iterator[str]:
    letters = [character for character in subject if character.isalpha()]
    if len(letters) > 4 and all(letter.isupper() for letter in letters):
        yield "the subject is all in capitals."
    if len(subject) > LONGEST_SUBJECT:
        yield f"the subject has {len(subject)} characters; most programs show {LONGEST_SUBJECT} at most."
    if is_first and (beginning := _ANSWER.match(subject)):
        yield f'the subject begins with "{beginning[0].strip()}", but there is nothing that it answers.'


def of_words(text: str) -> Iterator[str]:
    if found := sorted({match[0].casefold() for match in _SPAM.finditer(text)}):
        quoted = ", ".join(f'"{phrase}"' for phrase in found)
        yield f"spam filters dislike {quoted}."
    if (count := text.count("!")) > MOST_EXCLAMATIONS:
        yield f"there are {count} exclamation marks; one says it too."


def of_shape(body: str) -> Iterator[str]:
    markup = is_html(body)
    links = len(_HREF.findall(body) if markup else _LINK.findall(body))
    if links > MOST_LINKS:
        yield f"there are {links} links; a letter to one person has few."
    if markup and _IMAGE.search(body) and len(text_from_html(body).strip()) < SHORTEST_TEXT:
        yield "it is nearly all image: filters cannot read it, and neither can people who block images."
