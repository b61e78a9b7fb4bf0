"""The uploaded file: stored for every machine, copied to this one while it is read."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from crm.importing.formats import Unreadable
from crm.models import ImportJob
from pipelime.errors import Invalid

BLOCK = 1024 * 1024


def check_size(file: File) -> None:
    if not file.size:
        raise Invalid("The file is empty", field="file")
    if file.size > settings.UPLOAD_LIMIT:
        megabytes = settings.UPLOAD_LIMIT // (1024 * 1024)
        raise Invalid(
            f"The file has {file.size:,} bytes; at most {megabytes} MB can be uploaded", field="file"
        )


def keep(file: File, account_id: int, uid: UUID) -> tuple[str, str]:
    """Store an upload under a name that nobody chose. Returns that name and the SHA-256."""
    digest = hashlib.sha256()
    for block in file.chunks(BLOCK):
        digest.update(block)
    file.seek(0)
    return default_storage.save(f"imports/{account_id}/{uid}", file), digest.hexdigest()


@contextmanager
def local_copy(job: ImportJob) -> Iterator[Path]:
    """The file on this machine's disk, which reading passes over several times; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pipelime-import-") as folder:
        path = Path(folder) / "upload"
        if copied(job, path) != job.sha256:
            raise Unreadable("The stored file is not what was uploaded; upload it again")
        yield path


def copied(job: ImportJob, path: Path) -> str:
    if not job.file:
        raise Unreadable("The uploaded file has been deleted; upload it again")
    digest = hashlib.sha256()
    try:
        with job.file.storage.open(job.file.name) as source, path.open("wb") as target:
            for block in source.chunks(BLOCK):
                digest.update(block)
                target.write(block)
    except FileNotFoundError:
        raise Unreadable("The uploaded file is not there any more; upload it again") from None
    return digest.hexdigest()
