"""Locks on names rather than rows, for what no unique constraint can express."""

from __future__ import annotations

import hashlib

from django.db import connection


def hold(*words: object) -> None:
    """Keep others who hold the same words waiting until this transaction ends.

    SQLite needs none: its transactions are IMMEDIATE, so there is one writer anyway.
    """
    if connection.vendor != "postgresql":
        return
    name = "\x1f".join(str(word) for word in words).encode()
    number = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
