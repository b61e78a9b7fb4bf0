"""Work that must not be lost: a row is the queue, a lease says who has it, a fence says whose turn counts.

Repeatable work (webhooks, imports, indexing) goes queued -> claimed -> done, and an expired lease
makes it due again: at least once. Unrepeatable work (mail) adds states of its own and never repeats
what may already have happened (outreach.models.Message).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.utils import timezone


class LedgerRow(models.Model):
    """Columns and states that every ledger shares. Rows are moved by the functions below only."""

    class State(models.TextChoices):
        QUEUED = "queued"
        CLAIMED = "claimed"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED, editable=False)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    claim = models.CharField(max_length=32, blank=True, default="", editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    last_error = models.TextField(blank=True, editable=False)

    class Meta:
        abstract = True

    @staticmethod
    def indexes(name: str, *, owner: str | None = None) -> list[models.Index]:
        """The partial indexes that claiming and the sweep read: finished rows cost them nothing."""
        due = [owner, "due_at", "id"] if owner else ["due_at", "id"]
        held = [owner, "lease_until"] if owner else ["lease_until"]
        return [
            models.Index(fields=due, condition=Q(state="queued"), name=f"{name}_due"),
            models.Index(fields=held, condition=Q(state__in=["claimed", "sending"]), name=f"{name}_held"),
        ]


Row = TypeVar("Row", bound=LedgerRow)


@contextmanager
def durable() -> Iterator[None]:
    """A transaction that even a loss of power cannot undo once it has committed.

    What may never be done twice is marked in one of these first. SQLite's other commits reach the disk with
    the next of these, or some seconds later; PostgreSQL's all do before they end. Inside another
    transaction it is only a part of that one.
    """
    waits = connection.vendor == "sqlite" and not connection.in_atomic_block
    if waits:
        set_synchronous("FULL")
    try:
        with transaction.atomic():
            yield
    finally:
        if waits:
            set_synchronous("NORMAL")


def set_synchronous(level: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous={level}")


class LeaseLost(Exception):
    """Somebody else has taken this row since: whatever was being written is not ours to write."""


def database_now(seconds: float = 0) -> str:
    """SQL for the database's clock, `seconds` from now: workers' clocks may differ, this one does not."""
    if connection.vendor == "postgresql":
        return f"clock_timestamp() + interval '{seconds:f} seconds'"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '{seconds:+f} seconds')"  # for SQL with parameters


def skip_locked() -> str:
    """On SQLite the transaction is IMMEDIATE: nobody else writes, so there is nothing to skip."""
    return "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""


def claim_due(
    model: type[Row], *, limit: int, now: datetime, where: str = "", params: Sequence[Any] = ()
) -> dict[int, int]:
    """Take up to `limit` due rows in one statement. Returns {id: fence}.

    `where` narrows by SQL on the table's own columns. The CTE is materialised, because a planner
    that runs it twice would lock, and change, more rows than the limit.
    """
    table, token = model._meta.db_table, uuid4().hex
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH picked AS MATERIALIZED (
                SELECT id AS picked_id FROM {table}
                WHERE state = 'queued' AND due_at <= %s {f"AND {where}" if where else ""}
                ORDER BY due_at, id LIMIT %s {skip_locked()}
            )
            UPDATE {table} SET state = 'claimed', fence = fence + 1, claim = %s,
                lease_until = {database_now(settings.LEASE.total_seconds())}
            FROM picked WHERE id = picked_id RETURNING id, fence
            """,  # noqa: S608  table and clock are ours, values are parameters
            [as_parameter(now), *params, limit, token],
        )
        return dict(cursor.fetchall())


def as_parameter(moment: datetime) -> Any:
    """A moment as raw SQL wants it: SQLite keeps text without a zone."""
    return connection.ops.adapt_datetimefield_value(moment)


def finish(
    model: type[Row], row_id: int, fence: int, *, held: str = "claimed", state: str = "done", **values: Any
) -> None:
    """Write the outcome of a claimed row, only if the claim still stands."""
    changed = model._base_manager.filter(pk=row_id, fence=fence, state=held).update(
        state=state, lease_until=None, **values
    )
    if changed != 1:
        raise LeaseLost(f"{model.__name__} {row_id} is no longer held under fence {fence}")


def finish_all(
    model: type[Row], fences: dict[int, int], *, held: str = "claimed", state: str = "done", **values: Any
) -> set[int]:
    """Write one outcome for many claimed rows in one statement. Returns the ids that were still held."""
    if not fences:
        return set()
    table, values = model._meta.db_table, {"state": state, "lease_until": None, **values}
    columns = ", ".join(f"{name} = %s" for name in values)
    pairs = ", ".join(["(%s, %s)"] * len(fences))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH mine (mine_id, mine_fence) AS (VALUES {pairs}) UPDATE {table} SET {columns} FROM mine "  # noqa: S608
            "WHERE id = mine_id AND fence = mine_fence AND state = %s RETURNING id",
            [number for pair in fences.items() for number in pair]
            + [as_parameter(value) if isinstance(value, datetime) else value for value in values.values()]
            + [held],
        )
        return {row[0] for row in cursor.fetchall()}


def put_back(
    model: type[Row], row_id: int, fence: int, *, due_at: datetime, error: str = "", **values: Any
) -> None:
    """Queue a claimed row again for `due_at`."""
    finish(model, row_id, fence, state="queued", due_at=due_at, last_error=error[:2000], claim="", **values)


def renew(model: type[Row], fences: dict[int, int]) -> None:
    """Lengthen the leases of rows that are still being worked on; raises if one is no longer ours."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        for row_id, fence in fences.items():
            cursor.execute(
                f"UPDATE {table} SET lease_until = {database_now(settings.LEASE.total_seconds())} "  # noqa: S608
                "WHERE id = %s AND fence = %s AND state IN ('claimed', 'sending')",
                [row_id, fence],
            )
            if cursor.rowcount != 1:
                raise LeaseLost(f"{model.__name__} {row_id} is no longer held under fence {fence}")


def expired(model: type[Row], *, state: str = "claimed") -> models.QuerySet[Row]:
    """Rows whose holder has not renewed its lease in time, by the database's clock."""
    clock = models.functions.Now() if connection.vendor == "postgresql" else SqliteNow()
    # The literal is the partial index's own condition, which a bound parameter would not match on SQLite.
    held = model._base_manager.extra(where=["state IN ('claimed', 'sending')"])
    return held.filter(state=state, lease_until__lt=clock)


class SqliteNow(models.Func):
    """SQLite's clock with milliseconds, as leases are stored."""

    template = "strftime('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'now')"
    output_field = models.DateTimeField()


def release_expired(model: type[Row]) -> int:
    """Make claimed rows of dead workers due again. The fence moves, so a late write hits nothing."""
    with transaction.atomic():
        return expired(model).update(
            state="queued", fence=F("fence") + 1, lease_until=None, claim="", due_at=timezone.now()
        )


def back_off(attempts: int, *, base: timedelta = timedelta(seconds=30), most: timedelta = timedelta(hours=4)):
    """A pause that doubles with each failed attempt."""
    return min(base * 2 ** min(attempts, 20), most)
