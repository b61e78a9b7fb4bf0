"""Taking a mailbox's due messages: one worker a mailbox, the least recently served first, within the caps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from django.db import connection, transaction

from outreach import caps
from outreach.enrolments import UNCAPPED
from outreach.models import Campaign, EmailAccount, Message
from outreach.windows import schedule_of, zone_named
from pipelime import ledger

BATCH = 100  # one SMTP connection; small enough that a mailbox's turn ends soon
LATE = timedelta(minutes=15)  # a slot missed by more than this is planned anew, not sent at an odd hour

PERSON = ("account_id", "uid", "first_name", "last_name", "job_title", "phone", "linkedin_url", "location",
          "custom_fields", "deleted_at", "company_id", "company__account_id", "company__name")  # fmt: skip
NEEDED = (
    "uid", "account_id", "mailbox_id", "campaign_id", "enrolment_id", "state", "fence", "attempts", "due_at",
    "mailbox_day", "campaign_day", "contact_uid", "step_number", "variant", "to_address", "to_name",
    "from_address", "campaign_name", "message_id", "subject", "last_error", "sent_at", "frozen",
    "template_name", "created_by_id", "lead__uid", "lead__account_id", "lead__deleted_at",
    "enrolment__account_id", "enrolment__state", "enrolment__contact_id",
    *(f"enrolment__contact__{name}" for name in PERSON),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one mailbox, held under these fences."""

    mailbox: EmailAccount
    messages: list[Message]


class Claimed(NamedTuple):
    """What the caps want to know of a message."""

    id: int
    campaign_id: int | None


def zone_of(mailbox: EmailAccount) -> tzinfo:
    return zone_named(mailbox.time_zone or mailbox.account.time_zone)


def claim_batch(now: datetime, limit: int = BATCH) -> Batch | None:
    """The due messages of the mailbox that has waited longest, or None when no mailbox has any.

    What letters need is read after the commit: rows that cannot be read then fall to the lease, and do not
    keep this mailbox first in line for ever.
    """
    with transaction.atomic():
        mailbox_id = lock_mailbox(now)
        if mailbox_id is None:
            return None
        mailbox = EmailAccount.objects.select_related("account").get(pk=mailbox_id)
        fences = claim_messages(mailbox_id, now, limit)
        allowed = within_caps(mailbox, fences, now)
    return Batch(mailbox, loaded(mailbox, {pk: fences[pk] for pk in allowed}))


def lock_mailbox(now: datetime) -> int | None:
    """Lock and mark as served one mailbox that works, has something due and is in nobody's hands."""
    moment, earliest = ledger.as_parameter(now), ledger.as_parameter(now - LATE)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH picked AS MATERIALIZED (
                SELECT b.id AS picked_id FROM {EmailAccount._meta.db_table} b
                JOIN accounts_account a ON a.id = b.account_id
                WHERE b.paused_at IS NULL AND b.deleted_at IS NULL AND a.suspended_at IS NULL
                AND EXISTS (SELECT 1 FROM {Message._meta.db_table} q
                    WHERE q.mailbox_id = b.id AND q.state = 'queued' AND q.due_at <= %s
                    AND (q.due_at > %s OR q.frozen IS NOT NULL))
                AND NOT EXISTS (SELECT 1 FROM {Message._meta.db_table} h
                    WHERE h.mailbox_id = b.id AND h.state IN ('claimed', 'sending'))
                ORDER BY (b.served_at IS NOT NULL), b.served_at, b.id LIMIT 1
                {lock_owner()}
            )
            UPDATE {EmailAccount._meta.db_table} SET served_at = %s FROM picked
            WHERE id = picked_id RETURNING id
            """,  # noqa: S608  tables are ours, values are parameters
            [moment, earliest, moment],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def lock_owner() -> str:
    """NO KEY: whoever queues a message holds a share of the mailbox's key and must not be in the way."""
    return "FOR NO KEY UPDATE OF b SKIP LOCKED" if connection.vendor == "postgresql" else ""


def claim_messages(mailbox_id: int, now: datetime, limit: int) -> dict[int, int]:
    """Asks again whether anybody holds the mailbox: another claim may have ended while it was locked.

    A direct mail has no plan that would give it a new slot, so it may be late.
    """
    in_time = "(frozen IS NOT NULL OR campaign_id IS NOT NULL AND due_at > %s)"
    free = (
        f"NOT EXISTS (SELECT 1 FROM {Message._meta.db_table} h "  # noqa: S608  the table is ours
        "WHERE h.mailbox_id = %s AND h.state IN ('claimed', 'sending'))"
    )
    return ledger.claim_due(
        Message,
        limit=limit,
        now=now,
        where=f"mailbox_id = %s AND {in_time} AND {free}",
        params=[mailbox_id, ledger.as_parameter(now - LATE), mailbox_id],
    )


def within_caps(mailbox: EmailAccount, fences: dict[int, int], now: datetime) -> list[int]:
    """Raise the counters, mailbox first, then campaigns by id; what does not fit waits for its next day."""
    rows = Message.objects.filter(pk__in=fences).order_by("due_at", "pk")
    claimed = [Claimed(*row) for row in rows.values_list("pk", "campaign_id")]
    day, scope = now.astimezone(zone_of(mailbox)).date(), caps.scope_of(mailbox)
    room = caps.left(scope, day, mailbox.daily_limit) if claimed else 0
    put_off(claimed[room:], fences, zone_of(mailbox), day)
    allowed = [one.id for one in claimed[:room] if one.campaign_id is None]
    campaigns = campaigns_of(claimed)
    for campaign in sorted(campaigns.values(), key=lambda campaign: campaign.pk):
        own = [one for one in claimed[:room] if one.campaign_id == campaign.pk]
        allowed += within_campaign_cap(campaign, own, fences, now)
    caps.use(scope, day, len(allowed))
    note_day(allowed, mailbox_day=day)
    return allowed


def campaigns_of(messages: Iterable[Claimed | Message]) -> dict[int, Campaign]:
    return Campaign.objects.in_bulk({one.campaign_id for one in messages if one.campaign_id})


def within_campaign_cap(
    campaign: Campaign, own: list[Claimed], fences: dict[int, int], now: datetime
) -> list[int]:
    ids = [one.id for one in own]
    if campaign.daily_limit is None or not own:
        return ids
    zone, scope = zone_named(campaign.time_zone), caps.scope_of(campaign)
    day = now.astimezone(zone).date()
    room = caps.left(scope, day, campaign.daily_limit)
    put_off(own[room:], fences, zone, day)
    caps.use(scope, day, len(ids[:room]))
    note_day(ids[:room], campaign_day=day)
    return ids[:room]


def note_day(ids: list[int], **day: date) -> None:
    """Remember whose counters a message raised, so that exactly those are lowered if it returns."""
    if ids:
        Message.objects.filter(pk__in=ids).update(**day)


def put_off(over: list[Claimed], fences: dict[int, int], zone: tzinfo, day: date) -> None:
    """Queue for the first open moment of the next day; left as it was it would be claimed again at once."""
    tomorrow = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    campaigns = campaigns_of(over)
    for campaign_id in {one.campaign_id for one in over}:
        mine = {one.id: fences[one.id] for one in over if one.campaign_id == campaign_id}
        opens = schedule_of(campaigns[campaign_id]).next_open(tomorrow) if campaign_id else None
        due_at = opens or tomorrow
        ledger.finish_all(
            Message, mine, state="queued", claim="", due_at=due_at, last_error="over the daily limit"
        )


def loaded(mailbox: EmailAccount, fences: dict[int, int]) -> list[Message]:
    """The claimed messages with all that their letters need, mailbox and campaigns shared between them.

    A row that has a younger fence by now is somebody else's: to load it would be to steal it.
    """
    related = ("enrolment__contact__company", "lead")
    rows = Message.objects.filter(pk__in=fences).select_related(*related).only(*NEEDED)
    messages = [row for row in rows.order_by("due_at", "pk") if row.fence == fences[row.pk]]
    campaigns = campaigns_of(messages)
    for message in messages:
        message.account, message.mailbox = mailbox.account, mailbox
        message.campaign = campaigns.get(message.campaign_id)
        if message.campaign is not None:
            message.campaign.account = mailbox.account
    return messages


@transaction.atomic
def return_to_queue(messages: list[Message], *, due_at: datetime | None = None, error: str = "") -> set[int]:
    """Queue claimed messages again and give their allowance back; rows lost meanwhile are left alone."""
    moved = {} if due_at is None else {"due_at": due_at}
    returned = ledger.finish_all(
        Message,
        {message.pk: message.fence for message in messages},
        state="queued",
        claim="",
        last_error=error[:2000],
        **moved,
        **UNCAPPED,
    )
    caps.give_back(message for message in messages if message.pk in returned)
    return returned


def release_expired() -> int:
    """What dead workers had claimed but not begun to send goes back to the queue."""
    with transaction.atomic():
        return len(return_to_queue(list(ledger.expired(Message).order_by("pk")[:500])))
