"""Carries an import from one chunk to the next. Any worker can go on where another has stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.importing import outcomes, progress
from crm.importing.analyzing import analyze, format_of
from crm.importing.contacts import ContactImporter
from crm.importing.formats import Record, Reject
from crm.importing.lookups import refresh_statistics
from crm.importing.outcomes import Outcome, Rejected, rejected, unreadable
from crm.importing.reading import records
from crm.importing.rowwise import CompanyImporter, LeadImporter
from crm.importing.seen import Seen
from crm.importing.undoing import undo
from crm.importing.uploads import local_copy
from crm.models import ImportJob, ImportRow
from pipelime.bulk import in_chunks
from pipelime.errors import Invalid
from pipelime.events.recording import record
from pipelime.ledger import LeaseLost, back_off, put_back
from pipelime.scope import account_scope

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 5  # without any progress; then the job is given up
stopping = threading.Event()  # set when the worker ends: jobs go back between two chunks

Task = ImportJob.Task
Status = ImportJob.Status


class Stopped(Exception):
    """This worker ends; another one goes on."""


class Importer(Protocol):
    """One kind of record. `fresh` collects, by the chunk, what later records are compared with."""

    fresh: dict[str, int]

    def read(self, record: Record) -> Any: ...

    def settle(self, rows: list[Any], *, write: bool) -> list[Outcome]: ...


IMPORTERS: dict[str, Callable[[ImportJob, Seen], Importer]] = {
    "contacts": ContactImporter,
    "companies": CompanyImporter,
    "leads": LeadImporter,
}


def work(job_id: int, fence: int) -> None:
    """Do what a claimed job asks for, and leave it in a state that says what became of it."""
    job = ImportJob._base_manager.select_related("account").get(pk=job_id)
    with account_scope(job.account_id):
        try:
            begin(job, fence)
            perform(job, fence)
        except LeaseLost as lost:
            log.warning("import.lease_lost", job=job.pk, reason=str(lost))
        except Invalid as error:
            progress.fail(job, fence, str(error))
        except Stopped:
            put_back(ImportJob, job.pk, fence, due_at=timezone.now(), attempts=0)
        except Exception as error:
            log.exception("import.stumbled", job=job.pk)
            try_again(job, fence, error)


def begin(job: ImportJob, fence: int) -> None:
    """Count the attempt before the work, so that a record that kills its worker is not tried for ever."""
    if job.attempts >= MOST_ATTEMPTS:
        raise Invalid(
            f"The import stopped {job.attempts} times after record {job.processed}; what came before is "
            f"imported{f' ({job.last_error})' if job.last_error else ''}"
        )
    progress.save(job, fence, attempts=job.attempts + 1)


def try_again(job: ImportJob, fence: int, error: Exception) -> None:
    due_at = timezone.now() + back_off(job.attempts - 1)
    try:
        put_back(ImportJob, job.pk, fence, due_at=due_at, error=f"{type(error).__name__}: {error}")
    except LeaseLost as lost:
        log.warning("import.lease_lost", job=job.pk, reason=str(lost))


def perform(job: ImportJob, fence: int) -> None:
    if job.task == Task.UNDO:
        undo(job, fence, check_stop)
        return
    with local_copy(job) as path:
        if job.task == Task.ANALYZE:
            analyze(job, fence, path)
            start(job, fence, Task.DRY_RUN if job.dry_run else Task.RUN)
        elif job.task == Task.DRY_RUN or not job.started_at:
            start(job, fence, job.task)
        with Seen() as seen:
            go_through(job, fence, path, IMPORTERS[job.kind](job, seen), seen)
    if job.task == Task.DRY_RUN:
        progress.finish(job, fence, status=Status.READY)
    else:
        progress.finish(job, fence, event="import.finished", status=Status.DONE)


def start(job: ImportJob, fence: int, task: str) -> None:
    """From the first record on, whatever an earlier dry run has counted."""
    while ids := list(ImportRow.objects.filter(job=job).values_list("pk", flat=True)[:5000]):
        ImportRow.objects.filter(pk__in=ids).delete()
        progress.hold(job, fence)
    values: dict[str, Any] = dict.fromkeys(("processed", "created", "updated", "unchanged", "rejected"), 0)
    if task == Task.RUN:
        values |= {"status": Status.RUNNING, "started_at": timezone.now()}
    with transaction.atomic():
        progress.save(job, fence, task=task, **values)
        if task == Task.RUN:
            record("import.started", job, by=job)


def go_through(job: ImportJob, fence: int, path: Path, importer: Importer, seen: Seen) -> None:
    for number, chunk in enumerate(ahead(chunks(job, path, importer))):
        check_stop()
        refresh_statistics(number)
        if chunk.last <= job.processed:
            recall(job, fence, chunk, importer, seen)
        else:
            carry_on(job, fence, chunk, importer, seen)


class Chunk(NamedTuple):
    """Some records as the importer read them, the refusals of the others, and the number of the last."""

    rows: list[Any]
    refused: list[Outcome]
    last: int


def chunks(job: ImportJob, path: Path, importer: Importer) -> Generator[Chunk, None, None]:
    """A chunk ends where an earlier worker came to, also if chunks had another size then."""
    items = records(path, format_of(job))
    done = list(islice(items, job.processed % settings.IMPORT_CHUNK))
    for chunk in chain([done] if done else [], in_chunks(items, settings.IMPORT_CHUNK)):
        yield Chunk(*read(chunk, importer), chunk[-1].number)


def ahead(found: Generator[Chunk, None, None]) -> Iterator[Chunk]:
    """Reads the next chunk in a thread while this one is written: the database leaves time for it."""
    with closing(found), ThreadPoolExecutor(1, "import-reader") as reader:
        coming = reader.submit(next, found, None)
        while (chunk := coming.result()) is not None:
            coming = reader.submit(next, found, None)
            yield chunk


def recall(job: ImportJob, fence: int, chunk: Chunk, importer: Importer, seen: Seen) -> None:
    """An earlier worker has settled these: only what later records are compared with is needed again."""
    importer.fresh = {}
    importer.settle(chunk.rows, write=False)
    seen.add(importer.fresh)
    progress.hold(job, fence)


def carry_on(job: ImportJob, fence: int, chunk: Chunk, importer: Importer, seen: Seen) -> None:
    """Settle a chunk and say so, in one transaction: after a crash both have happened, or neither."""
    with transaction.atomic():
        progress.hold(job, fence)
        found = chunk.refused + settle(chunk.rows, importer, write=job.task == Task.RUN)
        outcomes.store(job.pk, in_order(found, dry=job.task == Task.DRY_RUN))
        grown = {name: getattr(job, name) + count for name, count in outcomes.counts(found).items()}
        values = {"processed": chunk.last, "attempts": 0, "last_error": "", **grown}
        changed = ImportJob._base_manager.filter(pk=job.pk, fence=fence).update(**values)
        if changed != 1:
            raise LeaseLost(f"The import {job.pk} is no longer held under fence {fence}")
    progress.keep(job, values)
    seen.add(importer.fresh)


def read(chunk: Iterable[Record | Reject], importer: Importer) -> tuple[list[Any], list[Outcome]]:
    rows, found = [], []
    for item in chunk:
        if isinstance(item, Reject):
            found.append(unreadable(item))
            continue
        try:
            rows.append(importer.read(item))
        except Rejected as error:
            found.append(rejected(item, str(error), error.column))
    return rows, found


def settle(rows: list[Any], importer: Importer, *, write: bool) -> list[Outcome]:
    """Somebody else may save the same address at this moment: look again, then row by row."""
    for _ in range(2):
        importer.fresh = {}
        try:
            with transaction.atomic():
                return importer.settle(rows, write=write)
        except IntegrityError:
            log.info("import.chunk_met_another_writer")
    importer.fresh, found = {}, []
    for row in rows:
        fresh = dict(importer.fresh)
        try:
            with transaction.atomic():
                found += importer.settle([row], write=write)
        except IntegrityError:
            importer.fresh = fresh
            found.append(
                rejected(row, "somebody else saved the same data at this moment; import the row again")
            )
    return found


def in_order(found: list[Outcome], *, dry: bool) -> list[Outcome]:
    """A dry run leaves only what it would refuse."""
    kept = [row for row in found if not dry or row.outcome == outcomes.REJECTED]
    return sorted(kept, key=lambda row: (row.record, row.line))


def check_stop() -> None:
    if stopping.is_set():
        raise Stopped
