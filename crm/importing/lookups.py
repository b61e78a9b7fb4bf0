"""Which of a thousand words the database knows: plain SQL, since the ORM's IN costs more than the answer."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from pipelime.bulk import json_text
from pipelime.scope import current_account_id


def lookup(select: str, words: Iterable[str]) -> list[tuple]:
    """`select` ends with the column that is compared, and has one mark, for the account in scope."""
    words = list(words)
    account_id = current_account_id("A lookup")
    if not words or account_id is None:
        return []
    postgres = connection.vendor == "postgresql"
    among = "= ANY(%s)" if postgres else "IN (SELECT value FROM json_each(%s))"
    with connection.cursor() as cursor:
        cursor.execute(f"{select} {among}", [account_id, words if postgres else json_text(words)])
        return cursor.fetchall()
