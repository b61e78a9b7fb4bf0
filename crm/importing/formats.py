"""What reading a file yields: its format, its records, and the reasons why some of it cannot be read."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pipelime.errors import Invalid

MOST_COLUMNS = 256
MOST_CELL_CHARACTERS = 32 * 1024
_MOST_NAME_CHARACTERS = 200


class Unreadable(Invalid):
    """The whole file cannot be read; the message says why and what would work."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, field="file")
        self.reason = reason


class Format(NamedTuple):
    kind: Literal["csv", "xlsx"]
    encoding: str = ""
    delimiter: str = ""


class Record(NamedTuple):
    """A row with one cell per header; `number` counts rows and rejects from 1, `line` is where it began."""

    number: int
    line: int
    cells: list[str]


class Reject(NamedTuple):
    """A row that cannot be read. Its `cells` may be stored anywhere: they hold no NUL."""

    number: int
    line: int
    column: str | None
    reason: str
    cells: list[str]


def named_columns(words: list[str]) -> list[str]:
    """The header as shown: blank words get a name, repeated ones a suffix."""
    if len(words) > MOST_COLUMNS:
        raise Unreadable(f"The file has {len(words)} columns; at most {MOST_COLUMNS} can be imported")
    names: list[str] = []
    taken: set[str] = set()
    for position, word in enumerate(words, start=1):
        plain = " ".join(word.split())[:_MOST_NAME_CHARACTERS].rstrip() or f"Column {position}"
        name, repeat = plain, 1
        while name.casefold() in taken:
            repeat += 1
            name = f"{plain} ({repeat})"
        taken.add(name.casefold())
        names.append(name)
    return names


def judge(number: int, line: int, cells: list[str], header: list[str]) -> Record | Reject:
    """The last look at a row of text: NUL, the number of cells, the length of each."""
    for position, cell in enumerate(cells):
        column = header[position] if position < len(header) else None
        if "\0" in cell:
            return _reject(number, line, column, "contains a NUL character, which no text may hold", cells)
        if len(cell) > MOST_CELL_CHARACTERS:
            reason = f"this cell has {len(cell)} characters; at most {MOST_CELL_CHARACTERS} can be imported"
            return _reject(number, line, column, reason, cells)
    if len(cells) != len(header):
        reason = f"has {_cells(len(cells))}, the header {len(header)}"
        return _reject(number, line, None, reason, cells)
    return Record(number, line, cells)


def blank(cells: list[str]) -> bool:
    return not "".join(cells).strip()


def storable(text: str) -> str:
    """PostgreSQL stores no NUL: show it as the symbol for NUL."""
    return text.replace("\0", "\u2400")


def _reject(number: int, line: int, column: str | None, reason: str, cells: list[str]) -> Reject:
    return Reject(number, line, column, reason, [storable(cell) for cell in cells])


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
