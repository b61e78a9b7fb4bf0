"""How far the cells of a sheet reach, known before a parser allocates them all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from crm.importing.formats import MOST_COLUMNS

MOST_ROWS = 200_000
MOST_CELLS = 5_000_000
_MOST_TAGS = 10 * MOST_CELLS
_LONGEST_TAG = 1 << 20

# Every cell and row, however it is written; and those in the usual form, each naming its place.
_ANY_FORM = re.compile(rb"<(?:c|row|[^\s<>/:]+:(?:c|row))[\s/>]")
_USUAL_FORM = re.compile(rb"""<(?:c|row) (?:[a-zA-Z:]+="[^"<>]*" )*?r="([A-Z]{0,3})(\d{1,7})\"""")


class TooLarge(Exception):
    """More than fits in memory; the message says of what."""


class SheetFault(Exception):
    """XML that no spreadsheet program writes."""


def fits_at_a_glance(chunks: Iterator[bytes]) -> bool:
    """True when all cells, even those without a value, are few. False tells nothing: measure them."""
    tags = rows = columns = 0
    for xml in _whole_tags(chunks):
        tags += xml.count(b"<")
        if tags > _MOST_TAGS:
            raise TooLarge(f"more than {_MOST_TAGS:,} XML tags")
        places = _USUAL_FORM.findall(xml)
        if len(places) != len(_ANY_FORM.findall(xml)):
            return False
        if places:
            letters, digits = zip(*places, strict=True)
            columns = max(columns, *map(_column_number, set(letters)))
            rows = max(rows, int(max(digits, key=int)))
            if columns > MOST_COLUMNS or rows > MOST_ROWS + 1 or rows * columns > MOST_CELLS:
                return False
    return True


def _whole_tags(chunks: Iterator[bytes]) -> Iterator[bytes]:
    tail = b""
    for chunk in chunks:
        data = tail + chunk
        if b"\0" in data or b"<!DOCTYPE" in data:
            raise SheetFault("its XML is not plain UTF-8 without a document type")
        cut = data.rfind(b"<")
        tail = data[cut:] if cut >= 0 else data
        if len(tail) > _LONGEST_TAG:
            raise SheetFault(f"its XML has {len(tail):,} bytes without a tag")
        yield data[: len(data) - len(tail)]
    yield tail


class Extent:
    """The exact area of the cells that have a value: formatting alone may reach the last row of a sheet."""

    def __init__(self) -> None:
        self._row = self._column = 0  # of the open cell, from 1
        self._rows = self._columns = 0

    def measure(self, chunks: Iterator[bytes]) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        try:
            for chunk in chunks:
                parser.Parse(chunk)
                self._check()
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise SheetFault(str(error)) from error
        self._check()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "c":
            self._open_cell(attributes.get("r"))
        elif name in {"v", "is"}:
            self._rows = max(self._rows, self._row)
            self._columns = max(self._columns, self._column)
        elif name == "row":
            self._row = int(attributes.get("r") or self._row + 1)
            self._column = 0

    def _open_cell(self, reference: str | None) -> None:
        if reference is None:
            self._column += 1
            return
        letters = reference.rstrip("0123456789")
        self._row = int(reference[len(letters) :])
        self._column = _column_number(letters.encode())

    def _check(self) -> None:
        if self._columns > MOST_COLUMNS:
            raise TooLarge(f"a sheet has {self._columns:,} columns, at most {MOST_COLUMNS}")
        if self._rows > MOST_ROWS + 1:
            raise TooLarge(f"a sheet has {self._rows:,} rows, at most {MOST_ROWS + 1:,}")
        if self._rows * self._columns > MOST_CELLS:
            raise TooLarge(f"a sheet has {self._rows * self._columns:,} cells, at most {MOST_CELLS:,}")


def _column_number(letters: bytes) -> int:
    """A is 1, Z 26, AA 27; a row's own place has no letters: 0."""
    if len(letters) > 3 or not (letters.isalpha() or not letters):
        raise SheetFault(f"a cell stands in column {letters[:10]!r}")
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number
