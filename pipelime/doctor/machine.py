"""The machine: Python, disk, files, time zone data."""

from __future__ import annotations

import platform
import shutil
import sys
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import InvalidStorageError, default_storage

from outreach.models import Campaign, EmailAccount
from pipelime.accounts.models import Account, User
from pipelime.doctor.verdicts import Verdict, failure, ok, warning
from pipelime.ids import uuid7

OLDEST_PYTHON = (3, 11)
TIGHT, FULL = 2 * 1024**3, 256 * 1024**2
GIGABYTE = 1024**3


def python() -> Iterator[Verdict]:
    version = platform.python_version()
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield failure(f"Python {version} is too old: install Python 3.11 or newer and run bin/install again.")
    else:
        yield ok(f"Python {version} runs.")


def disk() -> Iterator[Verdict]:
    folder, free = settings.DATA, shutil.disk_usage(settings.DATA).free
    size = f"{free / GIGABYTE:.1f} GB"
    if free < FULL:
        yield failure(f"Only {size} are free at {folder}: make room now, writes are about to fail.")
    elif free < TIGHT:
        yield warning(f"Only {size} are free at {folder}: make room before uploads and logs fill it.")
    else:
        yield ok(f"{size} are free at {folder}.")


def storage() -> Iterator[Verdict]:
    """Uploads are written by web processes and read by workers."""
    name, content = f"doctor/{uuid7().hex}", uuid7().bytes
    where = "of PIPELIME_FILES"
    try:
        where = getattr(default_storage, "location", "") or type(default_storage).__name__
        name = default_storage.save(name, ContentFile(content))
        with default_storage.open(name) as file:
            same = file.read() == content
        default_storage.delete(name)
    except (InvalidStorageError, ImproperlyConfigured) as error:
        yield failure(
            f"The file storage {where} lacks a package ({error}): "
            "install requirements-s3.txt, or correct PIPELIME_FILES."
        )
        return
    except Exception as error:  # noqa: BLE001  storages of other libraries raise errors of their own
        yield failure(f"The file storage {where} cannot be written ({error}): give this user the right to.")
        return
    if same:
        yield ok(f"The file storage {where} gives back what was written.")
    else:
        yield failure(f"The file storage {where} gave back other bytes than were written: check it.")


def static_files() -> Iterator[Verdict]:
    folder = Path(settings.STATIC_ROOT)
    if (folder / "admin").is_dir():
        yield ok(f"The pages' static files are in {folder}.")
    else:
        yield failure(f"There are no static files in {folder}: run bin/manage collectstatic --noinput.")


def time_zones() -> Iterator[Verdict]:
    known = zoneinfo.available_timezones()
    if "Europe/Paris" not in known:
        yield failure("There is no time zone data: install the tzdata package and restart.")
        return
    unknown = sorted(used_time_zones() - known)
    if unknown:
        names = ", ".join(unknown[:3])
        yield failure(f"Time zones in use are unknown here ({names}): update tzdata, or choose others.")
    else:
        yield ok(f"Time zone data knows {len(known)} zones, all that are in use among them.")


def used_time_zones() -> set[str]:
    models = (Account, User, Campaign, EmailAccount)
    return {
        zone
        for model in models
        for zone in model.objects.values_list("time_zone", flat=True).distinct()
        if zone
    }
