"""What an answer means, guessed by rules: English, German, French and Spanish, and nothing when unsure.

A sentence is read against each meaning in turn, and what one has claimed is taken out before the next is
asked: "not interested" leaves no "interested" behind. Where the meanings found contradict one another,
nothing is guessed: a person reads it anyway, and a wrong label is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from unicodedata import normalize

from outreach.intent_words import FRAGMENTS, RULES, Intent

READ = 3000  # characters of an answer; what matters is said at its beginning
SOME_WORDS = "[^.;]{0,40}?"


def compiled(lines: str) -> re.Pattern[str]:
    text = lines.strip().replace("\n  ", "").replace("\n", "|").replace("~", SOME_WORDS)
    for name, words in FRAGMENTS.items():
        text = text.replace(f"{{{name}}}", words.strip().replace("\n  ", ""))
    return re.compile(text)


COMPILED = {intent: compiled(lines) for intent, lines in RULES.items()}
_SENTENCE = re.compile(r"[.!?]+(?:\s|$)|\n\s*\n")  # one line end is where a mail program broke the line
# What is only supposed says nothing, and neither does a question whether somebody would like something.
_SUPPOSED = re.compile(
    r"\b(?:if (?:i|we) (?:was|were|am|are|become|get)|why (?:would|should)|should (?:i|we) (?:be|become)"
    r"|in case|falls|wenn (?:ich|wir)|pourquoi|si (?:je|nous|j'|estuv\w+)|por que)\b"
)
CLAIMS = (Intent.INTERESTED, Intent.MEETING)


def guess(text: str) -> str:
    """An Enrolment.Intent, or "" when the rules are not sure. `text` is without what it quotes."""
    return decided(meanings(text))


def meanings(text: str) -> set[str]:
    return {intent for sentence in sentences(text) for intent in meanings_of(sentence)}


def decided(found: Iterable[str]) -> str:
    """One meaning of several, where they agree."""
    found = set(found)
    if Intent.NOT_NOW in found:
        found -= {Intent.NOT_INTERESTED, Intent.INTERESTED}
    if Intent.MEETING in found or Intent.WRONG_PERSON in found:
        found -= {Intent.INTERESTED}
    return str(found.pop()) if len(found) == 1 else ""


def sentences(text: str) -> Iterator[str]:
    lines = (line for line in text[:READ].splitlines() if not line.lstrip().startswith(">"))
    for sentence in _SENTENCE.split(plain("\n".join(lines))):
        if words := " ".join(sentence.split()):
            yield words


def plain(text: str) -> str:
    """Small letters without accents, as people write them on a phone."""
    letters = normalize("NFKD", text.replace("’", "'").replace("‘", "'").casefold())
    return "".join(letter for letter in letters if not "\u0300" <= letter <= "\u036f")


def meanings_of(sentence: str) -> Iterator[str]:
    supposed = _SUPPOSED.search(sentence) is not None
    for intent, pattern in COMPILED.items():
        if intent in CLAIMS and supposed:
            continue
        rest = pattern.sub(" … ", sentence)
        if rest != sentence:
            sentence = rest
            yield intent
