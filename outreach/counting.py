"""The counters that daily limits go by, against the messages that raised them."""

from __future__ import annotations

from datetime import date

from django.db import connection

from outreach.models import CapCounter, Message

# The counter's kind, whose it is, and where a message keeps the day on which it raised it.
RAISED = (
    ("mailbox", "mailbox_id", "mailbox_day"),
    ("linkedin", "linkedin_account_id", "mailbox_day"),
    ("campaign", "campaign_id", "campaign_day"),
    ("account", "account_id", "account_day"),
)


def differences(since: date = date.min) -> list[tuple[str, int, int]]:
    """(scope, used, counted) where both differ, in one statement, so that claims cannot come between.

    A domain's counters are left out: only Python can tell an address's domain as they know it.
    """
    counters, messages = CapCounter._meta.db_table, Message._meta.db_table
    raised = " UNION ALL ".join(
        f"SELECT '{kind}:' || {owner}, {day}, 0, 1 FROM {messages} "  # noqa: S608  names are ours
        f"WHERE {day} >= %s AND {owner} IS NOT NULL AND state <> 'cancelled'"
        for kind, owner, day in RAISED
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT scope, SUM(used), SUM(counted) FROM (
                SELECT scope, day, used, 0 AS counted FROM {counters}
                WHERE day >= %s AND scope NOT LIKE 'domain:%%'
                UNION ALL {raised}
            ) AS both_sides
            GROUP BY scope, day HAVING SUM(used) <> SUM(counted) ORDER BY scope, day
            """,  # noqa: S608  tables are ours
            [str(since)] * (1 + len(RAISED)),
        )
        return [(scope, int(used), int(counted)) for scope, used, counted in cursor.fetchall()]
