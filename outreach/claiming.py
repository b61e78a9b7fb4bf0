"""Taking a mailbox's due messages: one worker a mailbox, the least recently served first, within the caps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import F

from outreach import caps
from outreach.models import Campaign, EmailAccount, Message
from pipelime import ledger

BATCH = 100  # one SMTP connection; small enough that a mailbox's turn ends soon


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one mailbox, held under these fences."""

    mailbox: EmailAccount
    messages: list[Message]


def zone_of(mailbox: EmailAccount) -> ZoneInfo:
    return ZoneInfo(mailbox.time_zone or mailbox.account.time_zone)


@transaction.atomic
def claim_batch(now: datetime, limit: int = BATCH) -> Batch | None:
    """The due messages of the mailbox that has waited longest, or None when no mailbox has any."""
    mailbox_id = lock_mailbox(now)
    if mailbox_id is None:
        return None
    mailbox = EmailAccount.objects.select_related("account").get(pk=mailbox_id)
    fences = ledger.claim_due(Message, limit=limit, now=now, where="mailbox_id = %s", params=[mailbox_id])
    messages = list(
        Message.objects.filter(pk__in=fences)
        .select_related("enrolment__contact__company")
        .order_by("due_at", "pk")
    )
    campaigns = Campaign.objects.in_bulk({message.campaign_id for message in messages})
    for message in messages:
        message.account, message.mailbox = mailbox.account, mailbox
        message.campaign = campaigns[message.campaign_id]
        message.campaign.account = mailbox.account
    return Batch(mailbox, within_caps(mailbox, messages, now))


def lock_mailbox(now: datetime) -> int | None:
    """Lock and mark as served one mailbox that works, has something due and is in nobody's hands."""
    moment = ledger.as_parameter(now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH picked AS MATERIALIZED (
                SELECT b.id AS picked_id FROM {EmailAccount._meta.db_table} b
                JOIN accounts_account a ON a.id = b.account_id
                WHERE b.paused_at IS NULL AND b.deleted_at IS NULL AND a.suspended_at IS NULL
                AND EXISTS (SELECT 1 FROM {Message._meta.db_table} q
                    WHERE q.mailbox_id = b.id AND q.state = 'queued' AND q.due_at <= %s)
                AND NOT EXISTS (SELECT 1 FROM {Message._meta.db_table} h
                    WHERE h.mailbox_id = b.id AND h.state IN ('claimed', 'sending'))
                ORDER BY (b.served_at IS NOT NULL), b.served_at, b.id LIMIT 1
                {lock_owner()}
            )
            UPDATE {EmailAccount._meta.db_table} SET served_at = %s FROM picked
            WHERE id = picked_id RETURNING id
            """,  # noqa: S608  tables are ours, values are parameters
            [moment, moment],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def lock_owner() -> str:
    """NO KEY: whoever queues a message holds a share of the mailbox's key and must not be in the way."""
    return "FOR NO KEY UPDATE OF b SKIP LOCKED" if connection.vendor == "postgresql" else ""


def within_caps(mailbox: EmailAccount, messages: list[Message], now: datetime) -> list[Message]:
    """Raise the counters, mailbox first, then campaigns by id; what does not fit is queued for a new plan."""
    day = now.astimezone(zone_of(mailbox)).date()
    granted = caps.take(caps.scope_of(mailbox), day, len(messages), mailbox.daily_limit)
    kept, over = messages[:granted], messages[granted:]
    note_day(kept, mailbox_day=day)
    allowed: list[Message] = []
    for _, group in groupby(sorted(kept, key=campaign_order), key=campaign_order):
        fitting, exceeding = within_campaign_cap(list(group), now)
        allowed += fitting
        over += exceeding
    caps.give_back(over)
    for message in over:
        message.mailbox_day = message.campaign_day = None
        ledger.put_back(
            Message,
            message.pk,
            message.fence,
            due_at=message.due_at,
            error="over the daily limit",
            **UNCAPPED,
        )
    return sorted(allowed, key=lambda message: (message.due_at, message.pk))


UNCAPPED = {"mailbox_day": None, "campaign_day": None}


def campaign_order(message: Message) -> int:
    return message.campaign_id or 0


def within_campaign_cap(messages: list[Message], now: datetime) -> tuple[list[Message], list[Message]]:
    campaign = messages[0].campaign
    if campaign is None or campaign.daily_limit is None:
        return messages, []
    day = now.astimezone(ZoneInfo(campaign.time_zone)).date()
    granted = caps.take(caps.scope_of(campaign), day, len(messages), campaign.daily_limit)
    note_day(messages[:granted], campaign_day=day)
    return messages[:granted], messages[granted:]


def note_day(messages: list[Message], **day: date) -> None:
    """Remember whose counters a message raised, so that exactly those are lowered if it returns."""
    Message.objects.filter(pk__in=[message.pk for message in messages]).update(**day)
    for message in messages:
        for name, value in day.items():
            setattr(message, name, value)


@transaction.atomic
def return_to_queue(messages: list[Message], *, due_at: datetime | None = None, error: str = "") -> None:
    """Queue claimed messages again and give their allowance back; rows lost meanwhile are left alone."""
    returned = []
    for message in messages:
        changed = Message.objects.filter(pk=message.pk, fence=message.fence, state="claimed").update(
            state="queued",
            fence=F("fence") + 1,
            lease_until=None,
            claim="",
            due_at=due_at or message.due_at,
            last_error=error[:2000],
            **UNCAPPED,
        )
        if changed:
            returned.append(message)
    caps.give_back(returned)


def release_expired() -> int:
    """What dead workers had claimed but not begun to send goes back to the queue."""
    with transaction.atomic():
        messages = list(ledger.expired(Message)[:500])
        return_to_queue(messages)
    return len(messages)
