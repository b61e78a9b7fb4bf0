"""Imports as people ask for them: start one, run it after its dry run, undo it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from crm.importing import uploads
from crm.importing.delimiters import known_delimiter
from crm.importing.encodings import known_encoding
from crm.importing.mapping import check_fields, completed
from crm.importing.rejects import rejects_csv
from crm.models import ImportJob
from pipelime.accounts.models import Account
from pipelime.doorbell import ring
from pipelime.errors import Conflict, Invalid
from pipelime.ids import uuid7

BELL = "crm.tasks.run_imports"


def start_import(
    account: Account,
    *,
    by: Any,
    file: File,
    kind: str = "contacts",
    mapping: dict[str, str | None] | None = None,
    on_duplicate: str = "update",
    dry_run: bool = False,
) -> ImportJob:
    """Store the file and leave the rest to a worker. Without a mapping the proposed one is used."""
    check_choice("kind", kind, ImportJob.Kind.values)
    check_choice("on_duplicate", on_duplicate, ImportJob.OnDuplicate.values)
    check_fields(kind, mapping)
    uploads.check_size(file)
    uid = uuid7()
    stored, sha256 = uploads.keep(file, account.pk, uid)
    actor_id, actor_name = by.actor if by is not None else (None, "")
    job = ImportJob(
        account=account, uid=uid, kind=kind, mapping=mapping or {}, on_duplicate=on_duplicate,
        dry_run=dry_run, file=stored, file_name=PurePath(file.name or "upload").name[:250], sha256=sha256,
        size=file.size, created_by_id=actor_id, created_by_name=actor_name,
    )  # fmt: skip
    try:
        with transaction.atomic():
            job.save()
            ring(BELL)
    except BaseException:
        default_storage.delete(stored)
        raise
    return job


@transaction.atomic
def run_import(
    job: ImportJob,
    *,
    by: Any,
    mapping: dict[str, str | None] | None = None,
    on_duplicate: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> ImportJob:
    """Write what a dry run has shown, or go on with what has failed.

    Another encoding or delimiter means other columns: the file is looked at again, and without a new
    mapping the proposed one is used.
    """
    locked(job)
    if job.status not in (ImportJob.Status.READY, ImportJob.Status.FAILED):
        raise Conflict(f"This import is {job.status}; only one that is ready or failed can be run")
    if not job.file:
        raise Invalid("The uploaded file has been deleted; upload it again", field="file")
    chosen = {"mapping": mapping, "on_duplicate": on_duplicate, "encoding": encoding, "delimiter": delimiter}
    given = {name: value for name, value in chosen.items() if value is not None}
    if begun(job) and given:
        raise Conflict("Part of this file is imported already: it can only go on as it began, or be undone")
    take(job, given)
    job.dry_run, job.error = False, ""
    queue(job)
    return job


@transaction.atomic
def check_import(
    job: ImportJob,
    *,
    by: Any,
    mapping: dict[str, str | None] | None = None,
    on_duplicate: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> ImportJob:
    """Another dry run, with what a person has chosen since the last one."""
    locked(job)
    if job.status not in (ImportJob.Status.READY, ImportJob.Status.FAILED) or begun(job):
        raise Conflict(f"This import is {job.status}; only one that has not begun can be checked again")
    if not job.file:
        raise Invalid("The uploaded file has been deleted; upload it again", field="file")
    chosen = {"mapping": mapping, "on_duplicate": on_duplicate, "encoding": encoding, "delimiter": delimiter}
    take(job, {name: value for name, value in chosen.items() if value is not None})
    job.dry_run, job.error, job.status = True, "", ImportJob.Status.ANALYZING
    if job.task == ImportJob.Task.RUN:
        job.task = ImportJob.Task.DRY_RUN
    queue(job)
    return job


@transaction.atomic
def undo_import(job: ImportJob, *, by: Any) -> ImportJob:
    """Remove what the import made and restore what it changed, but for what has been touched since."""
    locked(job)
    if job.status not in (ImportJob.Status.DONE, ImportJob.Status.FAILED):
        raise Conflict(f"This import is {job.status}; only one that is done or failed can be undone")
    if not begun(job):
        raise Conflict("This import has changed nothing: there is nothing to undo")
    job.task, job.status, job.processed, job.kept, job.error = "undo", ImportJob.Status.RUNNING, 0, [], ""
    job.undo_counts = {}
    queue(job)
    return job


def rejects(job: ImportJob) -> Iterator[bytes]:
    """The refused records as CSV: their own columns, then the line and the reason."""
    return rejects_csv(job)


def take(job: ImportJob, given: dict[str, Any]) -> None:
    """Make what a person chose the job's own, and find out where the work begins."""
    if "on_duplicate" in given:
        check_choice("on_duplicate", given["on_duplicate"], ImportJob.OnDuplicate.values)
        job.on_duplicate = given["on_duplicate"]
    if "encoding" in given:
        job.encoding = known_encoding(given["encoding"])
    if "delimiter" in given:
        job.delimiter = known_delimiter(given["delimiter"])
    looked_at = bool(job.header) and not {"encoding", "delimiter"} & given.keys()
    if "mapping" in given:
        job.mapping = completed(job.kind, job.header, given["mapping"]) if looked_at else given["mapping"]
        check_fields(job.kind, given["mapping"])
    elif not looked_at:
        job.mapping = {}
    if looked_at:
        check_fields(job.kind, job.mapping)
        job.task, job.status = ImportJob.Task.RUN, ImportJob.Status.RUNNING
    else:
        job.task, job.status = ImportJob.Task.ANALYZE, ImportJob.Status.ANALYZING


def queue(job: ImportJob) -> None:
    job.state, job.due_at, job.attempts, job.finished_at = "queued", timezone.now(), 0, None
    job.save()
    ring(BELL)


def begun(job: ImportJob) -> bool:
    return (
        bool(job.started_at and job.processed) or job.rows.filter(outcome__in=["created", "updated"]).exists()
    )


def locked(job: ImportJob) -> None:
    job.refresh_from_db(from_queryset=ImportJob.objects.select_for_update())


def check_choice(field: str, value: str, known: list[str]) -> None:
    if value not in known:
        raise Invalid(f"{field}: {value!r} is not known; use {', '.join(known)}", field=field)
