"""Files in the storage, under names that nobody chose: kept before their rows, deleted after them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import structlog
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from pipelime.ids import uuid7

log = structlog.get_logger(__name__)

BLOCK = 1024 * 1024
SETTLED, RECENT = 2, 7  # days: younger files may be of transactions that are under way
HOURS = 7 * 24


class Kept(NamedTuple):
    """What was stored: its name in the storage, its fingerprint, its bytes."""

    name: str
    sha256: str
    size: int


def keep(folder: str, account_id: int, content: File) -> Kept:
    """Store `content` before anything names it: a stop in between leaves a file, never a row without one.

    The day in the name is what `stored` goes by.
    """
    digest, size = hashlib.sha256(), 0
    for block in content.chunks(BLOCK):
        digest.update(block)
        size += len(block)
    content.seek(0)
    name = f"{folder}/{account_id}/{timezone.now():%Y-%m-%d}/{uuid7().hex}"
    return Kept(default_storage.save(name, content), digest.hexdigest(), size)


def discard(name: str) -> None:
    """Delete a file that no row names. One that stays is found by the housekeeping."""
    try:
        default_storage.delete(name)
    except Exception as error:  # noqa: BLE001  storages of other libraries raise errors of their own
        log.warning("file.not_deleted", file=name, error=str(error))


def discard_on_commit(name: str) -> None:
    transaction.on_commit(lambda: discard(name), robust=True)


def stored(folder: str, account_id: int) -> Iterator[list[str]]:
    """The files of one account, a day at a time: the last days each time, older ones once a week."""
    now, place = timezone.now(), f"{folder}/{account_id}"
    for day in listing(place)[0]:
        age = (now.date() - date.fromisoformat(day)).days
        turn = date.fromisoformat(day).toordinal() % HOURS == int(now.timestamp() // 3600) % HOURS
        if age >= SETTLED and (age < RECENT or turn):
            yield [f"{place}/{day}/{name}" for name in listing(f"{place}/{day}")[1]]


def listing(place: str) -> tuple[list[str], list[str]]:
    """(folders, files); nothing where nothing was stored."""
    try:
        return default_storage.listdir(place)
    except FileNotFoundError:
        return [], []
