"""What only the worker that holds a job may write: its progress, its outcome, its failure."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.models import ImportJob
from pipelime import ledger
from pipelime.events.recording import record


def hold(job: ImportJob, fence: int) -> None:
    """Lengthen the lease. In a transaction this also keeps everybody else from the job until its end."""
    ledger.renew(ImportJob, {job.pk: fence})


def save(job: ImportJob, fence: int, **values: Any) -> None:
    changed = ImportJob._base_manager.filter(pk=job.pk, fence=fence, state="claimed").update(**values)
    if changed != 1:
        raise ledger.LeaseLost(f"The import {job.pk} is no longer held under fence {fence}")
    keep(job, values)


@transaction.atomic
def finish(job: ImportJob, fence: int, *, event: str | None = None, **values: Any) -> None:
    """The end of a task: what comes next needs somebody's word, or nothing comes."""
    values.setdefault("finished_at", timezone.now())
    ledger.finish(ImportJob, job.pk, fence, **values)
    keep(job, values)
    if event:
        record(event, job, by=job)


def fail(job: ImportJob, fence: int, reason: str) -> None:
    finish(job, fence, event="import.failed", state="failed", status=ImportJob.Status.FAILED, error=reason)


def keep(job: ImportJob, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(job, name, value)
