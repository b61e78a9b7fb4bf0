"""The rejected records of an import as a CSV file that can be mended and uploaded again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from crm.formulas import guard
from crm.importing.outcomes import REJECTED
from crm.models import ImportJob, ImportRow

LINE, REASON = "Line", "Reason"
CHUNK = 500


def rejects_csv(job: ImportJob) -> Iterator[bytes]:
    """Cells beyond the header come last, so that the line and the reason stay in their columns."""
    header = [str(name) for name in job.header]
    yield b"\xef\xbb\xbf" + written([[*header, LINE, REASON]], job.delimiter)
    rows, last = ImportRow.objects.filter(job=job, outcome=REJECTED).order_by("id"), 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1].pk
        yield written([reject_cells(row, len(header)) for row in chunk], job.delimiter)


def reject_cells(row: ImportRow, width: int) -> list[str]:
    cells = list(row.cells or [])
    own, further = cells[:width], cells[width:]
    reason = f"{row.column}: {row.reason}" if row.column else row.reason
    return [*own, *[""] * (width - len(own)), str(row.line), reason, *further]


def written(rows: list[list[str]], delimiter: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter or ",", lineterminator="\r\n")
    writer.writerows([[guard(cell) for cell in cells] for cells in rows])
    return text.getvalue().encode()
