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


def refresh_statistics(chunks: int) -> None:
    """After 1, 10, 100 … chunks. Autovacuum comes too late for PostgreSQL's planner: until then it takes
    tables for nearly empty, and reads all of an account's rows for every chunk."""
    if connection.vendor == "postgresql" and str(chunks).rstrip("0") == "1":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE crm_contact, crm_contactemail, crm_company")
