"""What counts as a word, the same for what is indexed and what is asked, on every database."""

from __future__ import annotations

import re
import unicodedata

WORD = re.compile(r"[^\W_]+(?:[@.+_-][^\W_]+)*")
JOINER = re.compile(r"[@.+_-]")
COMMON_MARKS = re.compile("[\u0300-\u034e\u0350-\u036f]+")
LONGEST = 200  # PostgreSQL refuses a lexeme above 2 kB


def fold(text: str) -> str:
    """Case and accents do not matter: people type "muller" for "Müller"."""
    if text.isascii():
        return text.lower()
    plain = COMMON_MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    if plain.isascii():  # as Latin letters mostly are by now
        return plain.lower()
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def words_of(text: str) -> list[str]:
    """Words in their order; "jean-pierre" and "a.b@c.example" are one word each."""
    return [word[:LONGEST] for word in WORD.findall(fold(text))]


def indexed(text: str) -> list[str]:
    """The words that find a text: a joined word also by its later parts, an address by its domain."""
    found = words_of(text)
    for word in tuple(found):
        if "@" in word:
            found.append(word.rpartition("@")[2])
        elif not word.isalnum():
            found += [word[joiner.end() :] for joiner in JOINER.finditer(word)]
    return [word for word in dict.fromkeys(found) if word]
