"""What a prospecting list takes: names of columns, and rows of texts no wider than these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from crm.models import ProspectingList
from pipelime.changing import check_text
from pipelime.errors import Invalid

LONGEST_NAME = 250
LONGEST_CELL = 10_000


def check_columns(names: Any) -> list[str]:
    """Names may be the same; a blank one is named after its place."""
    if not is_row(names):
        raise Invalid('columns is a list of names such as ["Company", "Email"]', field="columns")
    names = [column_name(name, place) for place, name in enumerate(names, start=1)]
    if not any(names):
        raise Invalid("columns: at least one column needs a name", field="columns", rule="columns_missing")
    if len(names) > ProspectingList.MOST_COLUMNS:
        raise Invalid(
            f"columns: {len(names)} columns are too many; a list has at most {ProspectingList.MOST_COLUMNS}",
            field="columns",
            rule="too_many_columns",
        )
    return [name or f"Column {place}" for place, name in enumerate(names, start=1)]


def column_name(name: Any, place: int) -> str:
    text = " ".join(cell_text(name, f"The name of column {place}", field="columns").split())
    if len(text) > LONGEST_NAME:
        raise Invalid(
            f"The name of column {place} has {len(text)} characters; at most {LONGEST_NAME} fit",
            field="columns",
        )
    return text


def check_rows(rows: Any, columns: Sequence[str]) -> list[list[str]]:
    """The rows as they are stored, each as wide as the list; blank ones are left out."""
    if isinstance(rows, str | bytes | dict) or not isinstance(rows, Iterable):
        raise Invalid("rows is a list of rows, each a list of cells", field="rows")
    checked = [check_row(row, columns, number=number) for number, row in enumerate(rows, start=1)]
    return [row for row in checked if not is_blank(row)]


def check_row(row: Any, columns: Sequence[str], *, number: int | None = None) -> list[str]:
    """`number` names the row in messages when it is one of several."""
    what = f"Row {number}" if number else "The row"
    if not is_row(row):
        raise Invalid(f"{what} is {type(row).__name__}, not a list of cells", field="rows")
    if len(row) > len(columns):
        raise Invalid(
            f"{what} has {len(row)} cells, but the list has {len(columns)} columns",
            field="rows",
            rule="too_many_cells",
        )
    cells = [cell_text(cell, f"{what}, column {place}") for place, cell in enumerate(row, start=1)]
    return cells + [""] * (len(columns) - len(cells))


def is_row(value: Any) -> bool:
    return isinstance(value, list | tuple)


def is_blank(row: Iterable[str]) -> bool:
    return not any(cell.strip() for cell in row)


def cell_text(value: Any, what: str, *, field: str = "rows") -> str:
    """Numbers become texts, as a sheet shows them; nothing becomes an empty cell."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        value = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    try:
        text = check_text(value, strip=False)
    except ValidationError as error:
        raise Invalid(f"{what} {error.messages[0]}", field=field) from None
    if len(text) > LONGEST_CELL:
        raise Invalid(f"{what} has {len(text)} characters; at most {LONGEST_CELL} fit", field=field)
    return text
