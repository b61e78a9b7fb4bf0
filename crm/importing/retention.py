"""Forgets uploads: their files, and the cells of refused records, once nobody will mend them any more."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from crm.models import ImportJob, ImportRow

BATCH = 100
ROWS = 5000
AT_REST = ("done", "failed", "cancelled")


def prune() -> dict[str, int]:
    """In the scope that is open. What an undo needs stays; may be stopped and run again."""
    before, deleted = timezone.now() - settings.IMPORT_FILE_RETENTION, 0
    old = ImportJob.objects.filter(state__in=AT_REST, created_at__lt=before).exclude(file="").order_by("pk")
    while jobs := list(old[:BATCH]):
        for job in jobs:
            forget(job)
        deleted += len(jobs)
    return {"import_files": deleted}


def forget(job: ImportJob) -> None:
    """The file goes before its name: a stop between the two is made good by the next run."""
    rows = ImportRow.objects.filter(job=job, cells__isnull=False)
    while ids := list(rows.values_list("pk", flat=True)[:ROWS]):
        ImportRow.objects.filter(pk__in=ids).update(cells=None)
    job.file.storage.delete(job.file.name)
    ImportJob.objects.filter(pk=job.pk).update(file="", sample=[])
