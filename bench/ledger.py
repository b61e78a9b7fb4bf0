"""Rows claimed and finished through the ledger, against the bare statements on the same table.

Usage: python bench/ledger.py [rows]. Both claim a hundred at a time and finish them; the limit knows
neither fences nor leases and marks a whole claim done by its ids.
"""

from __future__ import annotations

import statistics
import sys
import time

import workspace

ROUNDS, CLAIM = 3, 100


def fill(account, rows: int) -> None:
    from pipelime.accounts.models import Notice

    Notice.objects.all().delete()
    Notice.objects.bulk_create(
        (Notice(account=account, to="a@example.com", subject="x") for _ in range(rows)),
        batch_size=1000,
    )


def ours(rows: int) -> float:
    from django.db import transaction
    from django.utils import timezone

    from pipelime import ledger
    from pipelime.accounts.models import Notice

    begin, finished = time.perf_counter(), 0
    while claimed := ledger.claim_due(Notice, limit=CLAIM, now=timezone.now()):
        with transaction.atomic():
            finished += len(ledger.finish_all(Notice, claimed))
    assert finished == rows
    return rows / (time.perf_counter() - begin)


def limit(rows: int) -> float:
    from django.db import connection

    skip = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    begin, finished = time.perf_counter(), 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "WITH picked AS MATERIALIZED "
                "(SELECT id AS picked_id FROM accounts_notice WHERE state = 'queued' "
                f"ORDER BY due_at, id LIMIT {CLAIM} {skip}) UPDATE accounts_notice SET state = 'claimed' "
                "FROM picked WHERE id = picked_id RETURNING id"
            )
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                break
            marks = ", ".join(["%s"] * len(ids))
            cursor.execute(f"UPDATE accounts_notice SET state = 'done' WHERE id IN ({marks})", ids)
            finished += len(ids)
    assert finished == rows
    return rows / (time.perf_counter() - begin)


def main(rows: int = 10_000) -> None:
    opened = workspace.prepare("ledger")
    from pipelime.scope import account_scope

    rates, limits = [], []
    with account_scope(opened.account):
        for _ in range(ROUNDS):
            fill(opened.account, rows)
            rates.append(ours(rows))
            fill(opened.account, rows)
            limits.append(limit(rows))
    workspace.report(
        "ledger", statistics.median(rates), statistics.median(limits), good=0.5, goal=0.8, unit="rows/s"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
