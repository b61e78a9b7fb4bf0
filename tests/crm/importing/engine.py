"""Imports as a worker runs them, for tests: upload, bell, and what is found afterwards."""

from __future__ import annotations

from django.core.files.base import ContentFile

from crm.importing.jobs import start_import
from crm.models import Contact, ImportJob, ImportRow
from crm.tasks import run_imports


def uploaded(account, text: str | bytes, *, by=None, name: str = "people.csv", **options) -> ImportJob:
    content = text.encode() if isinstance(text, str) else text
    return start_import(account, by=by, file=ContentFile(content, name=name), **options)


def imported(account, text: str | bytes, **options) -> ImportJob:
    return worked(uploaded(account, text, **options))


def worked(job: ImportJob) -> ImportJob:
    run_imports()
    job.refresh_from_db()
    return job


def counts(job: ImportJob) -> tuple[str, int, int, int, int]:
    return job.status, job.created, job.updated, job.unchanged, job.rejected


def reasons(job: ImportJob) -> list[tuple[int, str, str]]:
    rows = ImportRow.objects.filter(job=job, outcome="rejected").order_by("line")
    return [(row.line, row.column, row.reason) for row in rows]


def people() -> list[tuple[str | None, str, str, str | None]]:
    contacts = Contact.objects.alive().with_parts().order_by("pk")
    return [
        (contact.email, contact.first_name, contact.last_name, contact.company and contact.company.name)
        for contact in contacts
    ]
