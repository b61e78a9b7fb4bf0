"""Who is served next: the endpoint that was least recently served, with a batch of its due rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from pipelime.accounts.models import Account
from pipelime.ledger import as_parameter, claim_due, database_now
from webhooks.models import Delivery, Endpoint

BATCH = 100
CLAIMS_AT_ONCE = 2
SENT = ("uid", "fence", "claim", "attempts", "last_status", "event_name", "body")
LOOKS = 5  # an endpoint whose due rows are all locked by somebody else gives way to the next
ENDPOINT, DELIVERY, ACCOUNT = Endpoint._meta.db_table, Delivery._meta.db_table, Account._meta.db_table


@dataclass
class Claim:
    """Due rows of one endpoint, held under one token until their leases run out."""

    endpoint: Endpoint
    deliveries: list[Delivery]
    taken_at: float = field(default_factory=time.monotonic)

    @property
    def token(self) -> str:
        return self.deliveries[0].claim


def claim_next(now: datetime | None = None, *, failing: bool = False) -> Claim | None:
    """Take a batch of the next healthy endpoint, or one row of the next failing one. None: nothing is due.

    Whoever holds a row of a failing endpoint may have to wait for it to time out, hence one at a time.
    """
    now = now or timezone.now()
    for _ in range(LOOKS):
        # On SQLite a transaction locks out every writer, so it is not begun just to look.
        if connection.vendor == "sqlite" and find_owner(now, failing=failing) is None:
            return None
        with transaction.atomic():
            commit_without_waiting()
            owner = find_owner(now, failing=failing, lock=True)
            if owner is None:
                return None
            if deliveries := claim_rows(owner, now, failing=failing):
                return Claim(Endpoint._base_manager.get(pk=owner), deliveries)
    return None


def claim_rows(owner: int, now: datetime, *, failing: bool) -> list[Delivery]:
    """Rows of an endpoint whose row this transaction has locked."""
    Endpoint._base_manager.filter(pk=owner).update(served_at=timezone.now())
    # Counted again: what was read before the lock may have been older than the last holder's claim.
    if live_claims(owner) >= most_claims(failing=failing):
        return []
    limit = 1 if failing else BATCH
    fences = claim_due(Delivery, limit=limit, now=now, where="endpoint_id = %s", params=[owner])
    rows = Delivery._base_manager.filter(pk__in=fences).only(*SENT)
    return list(rows.order_by("due_at", "pk"))


def find_owner(now: datetime, *, failing: bool, lock: bool = False) -> int | None:
    """An enabled endpoint of an account that is not suspended, with due rows and a free slot."""
    found = execute(
        f"""
        SELECT e.id FROM {ENDPOINT} e JOIN {ACCOUNT} a ON a.id = e.account_id
        WHERE e.disabled_at IS NULL AND a.suspended_at IS NULL
            AND e.failing_since IS {"NOT NULL" if failing else "NULL"}
            AND EXISTS (
                SELECT 1 FROM {DELIVERY} d
                WHERE d.endpoint_id = e.id AND d.state = 'queued' AND d.due_at <= %s
            )
            AND ({LIVE_CLAIMS.format(owner="e.id", clock=database_now())}) < {most_claims(failing=failing)}
        ORDER BY e.served_at NULLS FIRST, e.id LIMIT 1 {lock_owner() if lock else ""}
        """,  # noqa: S608  tables, clock and numbers are ours
        [as_parameter(now)],
    )
    return found[0][0] if found else None


# The condition on `state` is the very text of the partial index.
LIVE_CLAIMS = f"""
    SELECT COUNT(DISTINCT held.claim) FROM {DELIVERY} held
    WHERE held.endpoint_id = {{owner}} AND held.state IN ('claimed', 'sending')
        AND held.lease_until > {{clock}}
"""  # noqa: S608


def live_claims(owner: int) -> int:
    return execute(LIVE_CLAIMS.format(owner="%s", clock=database_now()), [owner])[0][0]


def most_claims(*, failing: bool) -> int:
    return 1 if failing else CLAIMS_AT_ONCE


def lock_owner() -> str:
    """NO KEY: writers that add deliveries hold a share of the endpoint's key and must not be in the way."""
    return "FOR NO KEY UPDATE OF e SKIP LOCKED" if connection.vendor == "postgresql" else ""


def commit_without_waiting() -> None:
    """Let this transaction not wait for PostgreSQL's disk. If its server crashes within the next second,
    the last claims and outcomes are forgotten in their order, and those rows are delivered once more."""
    if connection.vendor == "postgresql":
        execute("SET LOCAL synchronous_commit = off", [])


def execute(statement: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []
