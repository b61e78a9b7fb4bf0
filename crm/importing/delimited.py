"""Records of a CSV or TSV file: whole groups of lines by the C reader, one record at a time near trouble."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from crm.importing.formats import (
    MOST_CELL_CHARACTERS,
    Record,
    Reject,
    Unreadable,
    blank,
    judge,
    named_columns,
    storable,
)
from crm.importing.lines import MOST_RECORD_BYTES, MOST_RECORD_LINES, Lines, StillOpen

_SHOWN = 1000  # characters of a line that could not be split into cells


class Fault(NamedTuple):
    """Why lines could not be split into the cells of a record, and their text as far as it goes."""

    reason: str
    cells: list[str]


def read_header(lines: Lines, delimiter: str) -> list[str]:
    """The names of the columns, from the first record that is not blank."""
    line, cells = next(split_records(lines, delimiter), (0, []))
    if not line:
        raise Unreadable("The file has only blank lines; its first line must name the columns")
    if isinstance(cells, Fault):
        raise Unreadable(f"The header on line {line} cannot be read: {cells.reason}")
    if "\0" in "".join(cells):
        raise Unreadable(f"The header on line {line} contains a NUL character; is this a text file?")
    return named_columns(cells)


def read_records(
    lines: Lines, delimiter: str, header: list[str], start: int = 0
) -> Iterator[Record | Reject]:
    """The records and rejects after the first `start` of them."""
    number = 0
    while group := lines.group():
        line = lines.number
        rows = _rows_of_one_line(lines, group, delimiter)
        if rows is None:
            items = _careful_items(lines, delimiter, header, number, until=line + len(group))
        else:
            lines.skip(len(group))
            if _all_full(rows, len(header)):
                # A group without any trouble never touches Python code row by row.
                count = len(rows)
                numbers, at = range(number + 1, number + 1 + count), range(line, line + count)
                yield from islice(map(Record, numbers, at, rows), max(0, start - number), None)
                number += count
                continue
            items = _uneven_items(rows, header, number, line)
        for item in items:
            number = item.number
            if number > start:
                yield item


def split_records(
    lines: Lines, delimiter: str, *, width: int | None = None, until: int | None = None
) -> Iterator[tuple[int, list[str] | Fault]]:
    """Line and cells of each record that is not blank, up to the line `until`."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while until is None or lines.number < until:
        lines.begin()
        line = lines.number
        try:
            cells = _next_record(reader, lines, width)
        except StopIteration:
            return
        if isinstance(cells, Fault) or not blank(cells):
            yield line, cells


def _next_record(reader: Iterator[list[str]], lines: Lines, width: int | None) -> list[str] | Fault:
    """One record, or the fault of its first line alone: what a stray quote swallowed is read again."""
    try:
        cells = next(reader)
    except (csv.Error, StillOpen) as error:
        if lines.taken > 1 or lines.size <= MOST_RECORD_BYTES:
            return _only_first_line(lines, _quote_trouble(lines, error))
        cells = []
    if lines.taken > 1 and width is not None and len(cells) != width:
        reason = (
            f"a quoted cell goes on for {lines.taken} lines and leaves {len(cells)} cells, the header has"
            f" {width}; a quote that was opened here may lack its end"
        )
        return _only_first_line(lines, reason)
    if lines.size > MOST_RECORD_BYTES:
        return Fault(f"the record is longer than {MOST_RECORD_BYTES // 1024} KiB", _shown(lines))
    if (bad := lines.undecodable) is not None:
        reason = (
            f"the byte 0x{bad.byte:02X} on line {bad.line} means nothing in the encoding of this file;"
            " save the file as UTF-8, or choose the encoding that it was saved in"
        )
        return Fault(reason, [storable(cell) for cell in cells])
    return cells


def _quote_trouble(lines: Lines, error: Exception) -> str:
    if isinstance(error, StillOpen):
        limit = f"within {MOST_RECORD_LINES} lines or {MOST_RECORD_BYTES // 1024} KiB"
        return f'a quote opened here never closes {limit}; add the missing " or remove the opening one'
    if "unexpected end" in str(error):
        return 'a quote opened here never closes before the end of the file; add the missing "'
    return 'a quoted cell goes on after its closing quote; inside quotes, write a quote twice: ""'


def _only_first_line(lines: Lines, reason: str) -> Fault:
    cells = _shown(lines)
    lines.back()
    return Fault(reason, cells)


def _shown(lines: Lines) -> list[str]:
    text = storable(lines.first_text())
    return [text if len(text) <= _SHOWN else text[:_SHOWN] + "…"]


def _rows_of_one_line(lines: Lines, group: list[bytes], delimiter: str) -> list[list[str]] | None:
    """A row for each line of the group, or None when any line needs a careful look."""
    if max(map(len, group)) > MOST_CELL_CHARACTERS:
        return None
    try:
        texts = lines.decode(group)
        rows = list(csv.reader(texts, delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    return rows if len(rows) == len(group) == len(texts) and "\0" not in "\n".join(texts) else None


def _all_full(rows: list[list[str]], width: int) -> bool:
    return set(map(len, rows)) == {width} and all(map(str.strip, map("".join, rows)))


def _uneven_items(
    rows: list[list[str]], header: list[str], number: int, line: int
) -> Iterator[Record | Reject]:
    """Rows free of NUL and of long cells, some of them blank, too long or too short."""
    width = len(header)
    for at, cells in enumerate(rows, start=line):
        if blank(cells):
            continue
        number += 1
        yield Record(number, at, cells) if len(cells) == width else judge(number, at, cells, header)


def _careful_items(
    lines: Lines, delimiter: str, header: list[str], number: int, *, until: int
) -> Iterator[Record | Reject]:
    for line, cells in split_records(lines, delimiter, width=len(header), until=until):
        number += 1
        if isinstance(cells, Fault):
            yield Reject(number, line, None, cells.reason, cells.cells)
        else:
            yield judge(number, line, cells, header)
