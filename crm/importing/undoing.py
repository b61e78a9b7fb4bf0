"""Takes an import back: what it made goes, what it changed is as before, but for what was touched since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.db import transaction

from crm.importing import progress
from crm.importing.reverting import REVERTERS, Verdict
from crm.importing.unused import remove_unused
from crm.models import ImportJob, ImportRow

CHUNK = 500
MOST_KEPT = 1000
OUTCOMES = ImportRow.Outcome
UNDONE = (OUTCOMES.REMOVED, OUTCOMES.RESTORED, OUTCOMES.KEPT)


def undo(job: ImportJob, fence: int, check_stop: Callable[[], None]) -> None:
    """Chunk by chunk; each row says in its outcome that it has been dealt with, so any worker can go on."""
    for outcome in (OUTCOMES.UPDATED, OUTCOMES.CREATED):
        rows = ImportRow.objects.filter(job=job, outcome=outcome).order_by("id")
        while chunk := list(rows[:CHUNK]):
            check_stop()
            undo_chunk(job, fence, chunk)
    for chunk in made_on_the_way(job):
        check_stop()
        with transaction.atomic():
            progress.hold(job, fence)
            remove_unused(job, chunk)
    progress.finish(job, fence, event="import.undone", status=ImportJob.Status.UNDONE, processed=job.total)


@transaction.atomic
def undo_chunk(job: ImportJob, fence: int, rows: list[ImportRow]) -> None:
    progress.hold(job, fence)
    verdicts = REVERTERS[job.kind](job, rows)
    for (outcome, reason), ids in by_verdict(verdicts).items():
        ImportRow.objects.filter(pk__in=ids).update(outcome=outcome, reason=reason)
    counts = Counter(job.undo_counts) + Counter(str(verdict.outcome) for _, verdict in verdicts)
    room = MOST_KEPT - len(job.kept)
    kept = [told(row, verdict) for row, verdict in verdicts if verdict.outcome == OUTCOMES.KEPT][:room]
    progress.save(
        job, fence, undo_counts=dict(counts), kept=[*job.kept, *kept], attempts=0,
        processed=min(job.processed + len(rows), job.total),
    )  # fmt: skip


def by_verdict(verdicts: Iterable[tuple[ImportRow, Verdict]]) -> dict[tuple[str, str], list[int]]:
    ids: dict[tuple[str, str], list[int]] = {}
    for row, verdict in verdicts:
        ids.setdefault((verdict.outcome, verdict.reason), []).append(row.pk)
    return ids


def told(row: ImportRow, verdict: Verdict) -> dict[str, Any]:
    return {"line": row.line, "id": verdict.uid, "name": verdict.name, "reason": verdict.reason}


class Made(NamedTuple):
    """What the import made beside its own records."""

    companies: set[int]
    contacts: set[int]
    tags: set[int]


def made_on_the_way(job: ImportJob) -> Iterable[Made]:
    last = 0
    rows = ImportRow.objects.filter(job=job, outcome__in=UNDONE, before__has_key="made").order_by("id")
    while page := list(rows.filter(pk__gt=last).values_list("pk", "before")[:CHUNK]):
        last = page[-1][0]
        found = [before["made"] for _, before in page]
        yield Made(
            *(
                {pk for made in found for pk in made.get(name, ())}
                for name in ("companies", "contacts", "tags")
            )
        )
