"""Taking the next message that a provider sends: one worker a LinkedIn account, the longest waiting first.

One message a claim: each takes a provider a while, and an account has a few dozen of them a day.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from outreach.claiming import LATE, lock_owner
from outreach.linkedin import allowance
from outreach.linkedin.words import NEEDED
from outreach.models import LinkedInAccount, Message
from outreach.windows import schedule_for
from pipelime import ledger

HELD = (
    f"SELECT 1 FROM {Message._meta.db_table} h "  # noqa: S608  the table is ours
    "WHERE h.state IN ('claimed', 'sending') AND h.linkedin_account_id = "
)


def claim_next(now: datetime) -> Message | None:
    """The next due message, held under its fence and counted, or None when no account has any.

    What its words need is read after the commit, as for mails: a row that cannot be read falls to its lease.
    """
    while True:
        with transaction.atomic():
            account_id = lock_account(now)
            if account_id is None:
                return None
            fences = claim_one(account_id, now)
            allowed = [pk for pk in fences if is_allowed(account_id, pk, fences[pk], now)]
        if allowed:
            return loaded(allowed[0], fences[allowed[0]])


def lock_account(now: datetime) -> int | None:
    """Lock and mark as served one account that works, has something due and is in nobody's hands."""
    moment, earliest = ledger.as_parameter(now), ledger.as_parameter(now - LATE)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH picked AS MATERIALIZED (
                SELECT b.id AS picked_id FROM {LinkedInAccount._meta.db_table} b
                JOIN accounts_account a ON a.id = b.account_id
                WHERE b.provider <> '' AND b.paused_at IS NULL AND b.deleted_at IS NULL
                AND a.suspended_at IS NULL
                AND EXISTS (SELECT 1 FROM {Message._meta.db_table} q
                    WHERE q.linkedin_account_id = b.id AND q.state = 'queued' AND q.due_at <= %s
                    AND (q.frozen IS NOT NULL OR q.campaign_id IS NOT NULL AND q.due_at > %s))
                AND NOT EXISTS ({HELD} b.id)
                ORDER BY (b.served_at IS NOT NULL), b.served_at, b.id LIMIT 1
                {lock_owner()}
            )
            UPDATE {LinkedInAccount._meta.db_table} SET served_at = %s FROM picked
            WHERE id = picked_id RETURNING id
            """,  # noqa: S608  tables are ours, values are parameters
            [moment, earliest, moment],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def claim_one(account_id: int, now: datetime) -> dict[int, int]:
    """Asks again whether anybody holds the account: another claim may have ended while it was locked."""
    in_time = "(frozen IS NOT NULL OR campaign_id IS NOT NULL AND due_at > %s)"
    return ledger.claim_due(
        Message,
        limit=1,
        now=now,
        where=f"linkedin_account_id = %s AND {in_time} AND NOT EXISTS ({HELD} %s)",
        params=[account_id, ledger.as_parameter(now - LATE), account_id],
    )


def is_allowed(account_id: int, message_id: int, fence: int, now: datetime) -> bool:
    """Count it, or put it off until the next day. An answer in a conversation is not counted."""
    account = LinkedInAccount.objects.select_related("account").get(pk=account_id)
    related = ("campaign", "enrolment", "linkedin_account__account")
    message = Message.objects.select_related(*related).get(pk=message_id)
    if message.conversation_id or allowance.take(account, message_id, now):
        return True
    due_at = allowance.tomorrow(account, now)
    if message.campaign is not None:
        due_at = schedule_for(message, message.campaign).next_open(due_at) or due_at
    ledger.put_back(Message, message_id, fence, due_at=due_at, error="over the daily limit")
    return False


def loaded(message_id: int, fence: int) -> Message | None:
    """A row that has a younger fence by now is somebody else's: to load it would be to steal it."""
    related = (*NEEDED, "campaign__account", "conversation", "created_by", "lead")
    return Message.objects.select_related(*related).filter(pk=message_id, fence=fence).first()
