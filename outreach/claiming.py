"""Taking a mailbox's due messages: one worker a mailbox, the least recently served first, within the caps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from outreach import caps
from outreach.allowances import campaigns_of, within_caps
from outreach.enrolments import UNCAPPED
from outreach.models import EmailAccount, Message
from pipelime import ledger

BATCH = 100  # one SMTP connection; small enough that a mailbox's turn ends soon
LATE = timedelta(minutes=15)  # a slot missed by more than this is planned anew, not sent at an odd hour

PERSON = ("account_id", "uid", "first_name", "last_name", "job_title", "phone", "linkedin_url", "location",
          "custom_fields", "deleted_at", "company_id", "company__account_id", "company__name")  # fmt: skip
NEEDED = (
    "uid", "account_id", "mailbox_id", "linkedin_account_id", "campaign_id", "enrolment_id", "channel",
    "state", "fence", "attempts", "due_at", "mailbox_day", "campaign_day", "account_day", "contact_uid",
    "step_number", "variant", "to_address", "to_name", "from_address", "campaign_name", "message_id",
    "subject", "last_error", "sent_at", "frozen", "template_name", "created_by_id", "lead__uid",
    "lead__account_id", "lead__deleted_at", "enrolment__account_id", "enrolment__state",
    "enrolment__contact_id", "enrolment__time_zone",
    *(f"enrolment__contact__{name}" for name in PERSON),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one mailbox, held under these fences."""

    mailbox: EmailAccount
    messages: list[Message]


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
        where=f"mailbox_id = %s AND channel = 'email' AND {in_time} AND {free}",
        params=[mailbox_id, ledger.as_parameter(now - LATE), mailbox_id],
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
