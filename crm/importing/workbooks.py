"""Records of an XLSX workbook: its first sheet that is not empty."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError

from crm.importing.formats import Record, Reject, Unreadable, blank, judge, named_columns
from crm.importing.packages import check_package


class Sheet(NamedTuple):
    header: list[str]
    rows: Iterator[tuple[int, list[str]]]  # after the header: line and cells, none of them blank


def open_sheet(path: Path) -> Sheet:
    check_package(path)
    with _as_unreadable():
        sheet = _first_used(CalamineWorkbook.from_path(path))
    rows = _text_rows(sheet)
    first = next(rows, None)
    if first is None:
        raise Unreadable("The workbook has only empty sheets; its first row must name the columns")
    _, words = first
    while not words[-1].strip():
        words.pop()
    return Sheet(named_columns(words), rows)


def read_sheet(sheet: Sheet, start: int = 0) -> Iterator[Record | Reject]:
    """The records and rejects after the first `start` of them."""
    width = len(sheet.header)
    for number, (line, cells) in enumerate(sheet.rows, start=1):
        if number > start:
            yield judge(number, line, _fitted(cells, width), sheet.header)


def cell_text(value: object) -> str:
    """A cell as one would type it: ISO dates, and whole numbers without a point or an exponent."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
        case datetime.datetime() if value.time() == datetime.time.min:
            return value.date().isoformat()
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
    return str(value)


def _first_used(workbook: CalamineWorkbook) -> CalamineSheet:
    for index in range(len(workbook.sheet_names)):
        sheet = workbook.get_sheet_by_index(index)
        if sheet.height:
            return sheet
    raise Unreadable("The workbook has only empty sheets; its first row must name the columns")


def _text_rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    with _as_unreadable():
        for line, row in enumerate(sheet.iter_rows(), start=1):
            cells = [value if type(value) is str else cell_text(value) for value in row]
            if not blank(cells):
                yield line, cells


def _fitted(cells: list[str], width: int) -> list[str]:
    """A sheet is a rectangle: empty cells after the header's last column are not the row's own."""
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    return cells + [""] * (width - len(cells))


@contextmanager
def _as_unreadable() -> Iterator[None]:
    """The parser is Rust: what it does not expect ends in a panic, which is no Exception."""
    try:
        yield
    except PasswordError as error:
        raise Unreadable("The workbook has a password; save it without one") from error
    except (Unreadable, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise Unreadable(f"The workbook cannot be read ({error}); save it again, or as CSV") from error
