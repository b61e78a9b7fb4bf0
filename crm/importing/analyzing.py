"""The first look at an upload: what it is, how many records it has, and which column means what."""

from __future__ import annotations

import time
from pathlib import Path

from django.db import transaction

from crm.importing import mapping, progress
from crm.importing.formats import Format, Unreadable
from crm.importing.reading import detect, headers, records, sample
from crm.models import ImportJob

SHOWN = 20  # records that the wizard shows, by which columns are recognised, too
RENEW_SECONDS = 10


def analyze(job: ImportJob, fence: int, path: Path) -> None:
    """What is found out stays on the job; an encoding, a delimiter or a mapping that was chosen is kept."""
    found = detect(path, encoding=job.encoding, delimiter=job.delimiter)
    header = headers(path, found)
    rows = sample(path, found, SHOWN)
    mapped = mapping.completed(job.kind, header, job.mapping) if job.mapping else None
    if mapped is None:
        mapped = mapping.proposed(job.kind, header, rows)
    total = count(job, fence, path, found)
    if not total:
        raise Unreadable("The file has a header but no rows below it")
    with transaction.atomic():
        progress.hold(job, fence)
        progress.save(
            job, fence, encoding=found.encoding, delimiter=found.delimiter, header=header, sample=rows,
            mapping=mapped, total=total,
        )  # fmt: skip
    # Only now, so that the columns can be shown to whoever maps them by hand.
    check_proposal(job.kind, header, mapped)


def check_proposal(kind: str, header: list[str], mapped: mapping.Mapped) -> None:
    if not mapping.IDENTIFYING[kind].intersection(filter(None, mapped.values())):
        raise mapping.invalid(
            f"No column was recognised that identifies {mapping.WHAT_IDENTIFIES[kind]}. The file's columns "
            f"are {', '.join(header)}; say with a mapping which of them to use"
        )


def count(job: ImportJob, fence: int, path: Path, found: Format) -> int:
    total, renewed = 0, time.monotonic()
    for item in records(path, found):
        total = item.number
        if total % 10_000 == 0 and time.monotonic() - renewed > RENEW_SECONDS:
            progress.hold(job, fence)
            renewed = time.monotonic()
    return total


def format_of(job: ImportJob) -> Format:
    return Format("csv" if job.encoding else "xlsx", job.encoding, job.delimiter)
