"""Locks on names rather than rows, for what no unique constraint can express."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from django.db import connection


def hold(*words: object) -> None:
    """Keep others who hold the same words waiting until this transaction ends.

    SQLite needs none: its transactions are IMMEDIATE, so there is one writer anyway.
    """
    hold_all([words])


def hold_all(names: Iterable[Sequence[object]]) -> None:
    """Hold many names at once; in one order for everybody, or two holders would wait for each other."""
    if connection.vendor != "postgresql":
        return
    numbers = sorted({number_of(words) for words in names})
    if not numbers:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number", [numbers])


def number_of(words: Sequence[object]) -> int:
    name = "\x1f".join(str(word) for word in words).encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)
