"""The journal: events in an order that readers can follow by remembering one number.

Ids are handed out before transactions commit, so on PostgreSQL a reader that has seen event 9 may
later find event 8. There one relay at a time appends what has surely committed; on SQLite, with its
single writer, the id already is the order of commits.
"""

from __future__ import annotations

from django.db import connection, transaction

from pipelime.events.models import Event, JournalEntry, JournalHorizon

RELAY_LOCK = 7_205_759_403


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
    """Append every event whose transaction has ended. Returns how many; 0 when another relay is at it."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [RELAY_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        # Everything below the oldest transaction still running has committed or is gone for good.
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        [ended] = cursor.fetchone()
        horizon, _ = JournalHorizon.objects.get_or_create(pk=1)
        if horizon.transaction == ended:
            return 0
        since = (
            "e.transaction >= %s" if horizon.transaction < ended else "%s IS NOT NULL AND j.position IS NULL"
        )
        cursor.execute(
            f"""
            INSERT INTO {JournalEntry._meta.db_table} (event_id, account_id)
            SELECT e.id, e.account_id FROM {Event._meta.db_table} e
            LEFT JOIN {JournalEntry._meta.db_table} j ON j.event_id = e.id
            WHERE {since} AND e.transaction < %s AND j.position IS NULL ORDER BY e.id
            """,  # noqa: S608  a horizon above today's means a restore into a younger cluster: look at all
            [horizon.transaction, ended if horizon.transaction < ended else 2**62],
        )
        appended = cursor.rowcount
        JournalHorizon.objects.filter(pk=1).update(transaction=ended)
    return appended
