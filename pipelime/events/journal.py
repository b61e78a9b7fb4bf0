"""The journal: events in an order that readers can follow by remembering one number.

Ids are handed out before transactions commit, so on PostgreSQL a reader that has seen event 9 may
later find event 8. There one relay at a time gives positions to what it sees committed; on SQLite, with
its single writer, the id already is the order of commits.
"""

from __future__ import annotations

from django.db import connection, transaction

from pipelime.events.models import Event, JournalEntry, JournalHorizon

RELAY_LOCK = 7_205_759_403
EVER = 2**62
# What has a position already was committed beside a transaction that still ran when last looked.
APPEND = f"""
    INSERT INTO {JournalEntry._meta.db_table} (event_id, account_id)
    SELECT e.id, e.account_id FROM {Event._meta.db_table} e
    WHERE e.transaction >= %s AND e.transaction < %s
        AND NOT EXISTS (SELECT 1 FROM {JournalEntry._meta.db_table} j WHERE j.event_id = e.id)
    ORDER BY e.id
"""  # noqa: S608  the tables are ours


def read(*, after: int, limit: int) -> list[tuple[int, Event]]:
    """Up to `limit` (position, event) pairs of the account in scope, after a position."""
    if connection.vendor != "postgresql":
        events = Event.objects.select_related("actor").filter(pk__gt=after).order_by("pk")[:limit]
        return [(event.pk, event) for event in events]
    relay()
    entries = (
        JournalEntry.objects.select_related("event__actor")
        .filter(position__gt=after)
        .order_by("position")[:limit]
    )
    return [(entry.position, entry.event) for entry in entries]


@transaction.atomic
def relay() -> int:
    """Append every committed event that has no position. Returns how many; 0 when another relay is at it."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [RELAY_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            "SELECT pg_snapshot_xmin(snapshot)::text::bigint, pg_snapshot_xmax(snapshot)::text::bigint "
            "FROM pg_current_snapshot() AS snapshot"
        )
        oldest_running, next_to_come = cursor.fetchone()
        horizon, _ = JournalHorizon.objects.get_or_create(pk=1)
        # A horizon above today's means a restore into a younger cluster: look at all events once.
        restored = horizon.transaction > oldest_running
        since, before = (0, EVER) if restored else (horizon.transaction, next_to_come)
        cursor.execute(APPEND, [since, before])
        appended = cursor.rowcount
        # Below the oldest transaction still running, everything has committed or is gone for good.
        if horizon.transaction != oldest_running:
            JournalHorizon.objects.filter(pk=1).update(transaction=oldest_running)
    return appended
