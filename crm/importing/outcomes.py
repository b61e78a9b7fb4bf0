"""What became of one record, and how a chunk of such outcomes is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from crm.importing.formats import Reject
from crm.models import ImportRow
from pipelime.bulk import insert_rows

CREATED, UPDATED, SKIPPED, REJECTED, UNCHANGED = "created", "updated", "skipped", "rejected", "unchanged"
COLUMNS = (
    "job_id", "record", "line", "email_key", "outcome", "column", "reason", "cells", "object_id", "version",
    "before",
)  # fmt: skip
MOST_REASON = 500


class Rejected(Exception):
    """This record cannot go in; the message says why, `column` where."""

    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.column = column


class Outcome(NamedTuple):
    record: int
    line: int
    outcome: str
    email_key: str = ""
    column: str = ""
    reason: str = ""
    cells: Sequence[str] | None = None
    object_id: int | None = None
    version: int | None = None
    before: dict[str, Any] | None = None


def unreadable(item: Reject) -> Outcome:
    return Outcome(item.number, item.line, REJECTED, "", item.column or "", item.reason, item.cells)


def rejected(row: Any, reason: str, column: str = "") -> Outcome:
    """`row` has the number, the line and the cells of its record."""
    return Outcome(row.number, row.line, REJECTED, "", column, reason, row.cells)


def store(job_id: int, outcomes: Iterable[Outcome]) -> None:
    """Unchanged records leave no row: what came before them is known from the file itself."""
    insert_rows(
        ImportRow,
        COLUMNS,
        [
            (
                job_id, row.record, row.line, row.email_key, row.outcome, row.column,
                row.reason[:MOST_REASON], row.cells, row.object_id, row.version, row.before,
            )
            for row in outcomes
            if row.outcome != UNCHANGED
        ],
    )  # fmt: skip


def counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """What the job's counters grow by; a record that was left as it is counts as unchanged."""
    found = Counter(row.outcome for row in outcomes)
    return {
        "created": found[CREATED],
        "updated": found[UPDATED],
        "unchanged": found[UNCHANGED] + found[SKIPPED],
        "rejected": found[REJECTED],
    }
