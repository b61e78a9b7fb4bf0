"""What became of a batch, written many at a time: a kill repeats the few deliveries not yet written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from pipelime.ledger import as_parameter, database_now
from webhooks.claiming import DELIVERY, Claim, execute
from webhooks.dialects import Letter
from webhooks.models import Attempt, Delivery

DONE, QUEUED, FAILED = Delivery.State.DONE, Delivery.State.QUEUED, Delivery.State.FAILED
AWAY = frozenset({410, 429, 502, 503, 504})
ATTEMPT = Attempt._meta.db_table


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt at one delivery. `due_at` is when it is repeated, None for never."""

    delivery: Delivery
    at: datetime
    seconds: float
    status: int | None = None
    error: str = ""
    answer: str = ""
    due_at: datetime | None = None
    letter: Letter | None = None  # instead of a request

    @property
    def arrived(self) -> bool:
        return self.letter is not None or (self.status is not None and 200 <= self.status < 300)

    @property
    def is_away(self) -> bool:
        """Nobody is there, or they ask to be spared: the next row would fare no better."""
        return self.letter is None and (self.status is None or self.status in AWAY)

    @property
    def state(self) -> str:
        if self.arrived:
            return DONE
        return QUEUED if self.due_at else FAILED


def write_outcomes(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Store outcomes whose claim still stands, with their attempts, and return those."""
    with transaction.atomic():
        held = update_deliveries(outcomes)
        kept = [outcome for outcome in outcomes if outcome.delivery.pk in held]
        insert_attempts(kept)
    return kept


def update_deliveries(outcomes: Sequence[Outcome]) -> set[int]:
    """One statement for the batch. VALUES names its columns alike on both databases; none of them is null
    in every row, because PostgreSQL would not know its type."""
    row = "(%s, %s, %s, %s, %s, %s, %s)"
    changed = execute(
        f"""
        UPDATE {DELIVERY} AS d SET state = v.column3, last_status = NULLIF(v.column5, 0),
            last_error = v.column6, attempts = attempts + 1, lease_until = NULL, claim = '',
            due_at = CASE WHEN v.column3 = 'queued' THEN v.column4 ELSE d.due_at END,
            delivered_at = CASE WHEN v.column3 = 'done' THEN v.column7 ELSE d.delivered_at END
        FROM (VALUES {", ".join([row] * len(outcomes))}) AS v
        WHERE d.id = v.column1 AND d.fence = v.column2 AND d.state = 'claimed'
        RETURNING id
        """,  # noqa: S608
        [value for outcome in outcomes for value in delivery_row(outcome)],
    )
    return {pk for (pk,) in changed}


def delivery_row(outcome: Outcome) -> tuple[Any, ...]:
    delivery, at = outcome.delivery, as_parameter(outcome.at)
    return (
        delivery.pk,
        delivery.fence,
        str(outcome.state),
        as_parameter(outcome.due_at) if outcome.due_at else at,
        outcome.status or 0,
        outcome.error,
        at,
    )


def attempt_row(outcome: Outcome) -> tuple[Any, ...]:
    return (
        outcome.delivery.pk,
        as_parameter(outcome.at),
        outcome.status,
        outcome.error[:500],
        outcome.answer,
        outcome.seconds,
    )


def insert_attempts(outcomes: Sequence[Outcome]) -> None:
    """One statement: for so few rows it beats a COPY."""
    if outcomes:
        execute(
            f"INSERT INTO {ATTEMPT} (delivery_id, at, status, error, answer, seconds) "  # noqa: S608
            f"VALUES {', '.join(['(%s, %s, %s, %s, %s, %s)'] * len(outcomes))}",
            [value for outcome in outcomes for value in attempt_row(outcome)],
        )


def put_back(claim: Claim) -> int:
    """Queue again, untouched, whatever is still held under the claim's token."""
    return Delivery._base_manager.filter(
        endpoint_id=claim.endpoint.pk, claim=claim.token, state="claimed"
    ).update(state=QUEUED, claim="", lease_until=None)


def still_held(claim: Claim, seconds: float) -> set[int]:
    """Lengthen the leases of a claim's rows; the ids of those that nobody else has taken since."""
    held = execute(
        f"UPDATE {DELIVERY} SET lease_until = {database_now(seconds)} "  # noqa: S608
        "WHERE endpoint_id = %s AND claim = %s AND state IN ('claimed', 'sending') RETURNING id",
        [claim.endpoint.pk, claim.token],
    )
    return {pk for (pk,) in held}
