"""Which field each column of a file holds, proposed from the words of its header and from its cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Literal
from unicodedata import combining, normalize

from crm.importing.values import clean_email, clean_linkedin
from crm.importing.words import (
    BARE_NAMES,
    FIELD_WORDS,
    FURTHER,
    GIVEN_NAME_WHERE_OTHER_IS_FAMILY,
    QUALIFIERS,
)

Kind = Literal["contacts", "companies", "leads"]

REPEATABLE = {"email_2", "tags", "location"}
_MOSTLY = 0.6


def propose(
    headers: Sequence[str],
    custom_fields: Mapping[str, str] | None = None,
    *,
    kind: Kind = "contacts",
    rows: Iterable[Sequence[str]] = (),
) -> dict[str, str | None]:
    """A field for each header: one of ours, `custom.KEY` for a custom field, or None when it is unknown.

    `custom_fields` maps keys to labels. `rows` are sample cells: they find columns of e-mail addresses and of
    LinkedIn profiles whatever heads them. A field is proposed once, except those in REPEATABLE.
    """
    customs = {
        squeezed(word): f"custom.{key}"
        for key, label in (custom_fields or {}).items()
        for word in (key, label)
    }
    proposal = _Proposal(headers)
    for header in headers:
        proposal.take(header, *_by_words(header, kind), customs.get(squeezed(header)))
    for header in headers:
        if squeezed(header) in BARE_NAMES:
            proposal.take(header, _meaning_of_name(squeezed(header), kind, proposal.taken))
    if kind != "companies":
        for header, cells in zip(headers, zip(*rows, strict=False), strict=False):
            proposal.take(header, *_by_cells(cells))
    return proposal.fields


def squeezed(word: str) -> str:
    """`E-Mail`, `e mail` and `émail` are one word; `firstName` is `first name`."""
    return "".join(_tokens(word))


class _Proposal:
    def __init__(self, headers: Iterable[str]) -> None:
        self.fields: dict[str, str | None] = dict.fromkeys(headers)
        self.taken: set[str] = set()

    def take(self, header: str, *wanted: str | None) -> None:
        """The first of the wanted fields that is free, unless the header has one already."""
        free = (field for field in wanted if field and (field in REPEATABLE or field not in self.taken))
        if self.fields[header] is None and (field := next(free, None)):
            self.fields[header] = field
            self.taken.add(field)


def _tokens(word: str) -> list[str]:
    word = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word)
    plain = "".join(letter for letter in normalize("NFKD", word).casefold() if not combining(letter))
    return re.findall(r"[^\W_]+", plain)


@cache
def _fields_by_word(kind: Kind) -> dict[str, str]:
    fields: dict[str, str] = {}
    for field, words in FIELD_WORDS[kind].items():
        for word in re.split(r"[;\n]", words):
            if key := squeezed(word):
                fields.setdefault(key, field)
    return fields


def _by_words(header: str, kind: Kind) -> list[str | None]:
    """What the header may mean, the likeliest first."""
    fields = _fields_by_word(kind)
    tokens = _tokens(header)
    exact = fields.get("".join(tokens))
    if exact == "email":
        return ["email", "email_2"]
    plain = [token for token in tokens if token not in FURTHER]
    if len(plain) < len(tokens) and fields.get("".join(plain)) == "email":
        return ["email_2"]
    if exact or "".join(tokens) in BARE_NAMES:
        return [exact]
    found = fields.get("".join(token for token in tokens if token not in QUALIFIERS))
    return ["email", "email_2"] if found == "email" else [found]


def _meaning_of_name(word: str, kind: Kind, taken: set[str]) -> str:
    if kind == "companies":
        return "name"
    given = word in GIVEN_NAME_WHERE_OTHER_IS_FAMILY
    if given and "last_name" in taken and "first_name" not in taken:
        return "first_name"
    if not given and "first_name" in taken and "last_name" not in taken:
        return "last_name"
    return "title" if kind == "leads" and "title" not in taken else "full_name"


def _by_cells(cells: Iterable[str]) -> list[str | None]:
    filled = [cell for cell in cells if cell.strip()]
    if _most(filled, clean_email):
        return ["email", "email_2"]
    return ["linkedin_url"] if _most(filled, clean_linkedin) else []


def _most(cells: list[str], clean: Callable[[str], str]) -> bool:
    return bool(cells) and sum(_is_clean(cell, clean) for cell in cells) >= _MOSTLY * len(cells)


def _is_clean(cell: str, clean: Callable[[str], str]) -> bool:
    try:
        clean(cell)
    except ValueError:
        return False
    return True
