"""Words such as #partner in a mail, which tag the lead that it becomes."""

from __future__ import annotations

import re

from crm.tags import LONGEST

MOST = 20
# Begins with a letter, after a blank: no number, no anchor of an address.
WORD = re.compile(r"(?<!\S)#([^\W\d_][\w-]*)")
AT_THE_END = re.compile(r"(?:\s+|\A)#[^\W\d_][\w-]*\s*\Z")
COLOUR = re.compile(r"[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}", re.IGNORECASE)
QUOTED = re.compile(r"\s*>")


def tags_of(subject: str, text: str) -> tuple[str, list[str]]:
    """(the subject without the tags at its end, every tag once)."""
    title, ending = split(subject)
    lines = [line for line in text.splitlines() if not QUOTED.match(line)]
    words = WORD.findall(ending) + [word for line in lines for word in WORD.findall(line)]
    tags = {word.casefold(): word for word in reversed(words) if is_tag(word)}
    return title, list(reversed(tags.values()))[:MOST]


def split(subject: str) -> tuple[str, str]:
    """A subject of nothing but tags keeps them as its words."""
    title = subject.strip()
    while found := AT_THE_END.search(title):
        title = title[: found.start()]
    return (title, subject.strip()[len(title) :]) if title else (subject.strip(), subject)


def is_tag(word: str) -> bool:
    return len(word) <= LONGEST and COLOUR.fullmatch(word) is None
