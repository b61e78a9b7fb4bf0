"""Bringing a message to its end: sent, or ambiguous until evidence or a person says what happened."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from outreach.models import Enrolment, Message
from pipelime import ledger
from pipelime.doorbell import ring
from pipelime.errors import Invalid
from pipelime.events.recording import record
from pipelime.scope import account_scope

log = structlog.get_logger(__name__)


@transaction.atomic(savepoint=False)
def mark_sent(message: Message) -> None:
    """The server took it, even if the sweep called it ambiguous while the answer was on its way."""
    now = timezone.now()
    if not (wrote_sent(message, now) or corrected_ambiguous(message, now)):
        log.error("mail.sent_but_moved", message=str(message.uid))
        return
    message.state, message.sent_at, message.last_error = Message.State.SENT, now, ""
    record("message.sent", message, by=None)


def wrote_sent(message: Message, now: datetime) -> bool:
    # Plain SQL: this runs once a mail, and building the same query costs five times as much as running it.
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Message._meta.db_table} SET state = 'sent', sent_at = %s, lease_until = NULL, "  # noqa: S608
            "last_error = '' WHERE id = %s AND fence = %s AND state = 'sending'",
            [ledger.as_parameter(now), message.pk, message.fence],
        )
        return cursor.rowcount == 1


def corrected_ambiguous(message: Message, now: datetime) -> bool:
    ambiguous = Message.objects.filter(pk=message.pk, fence=message.fence + 1, state="ambiguous")
    return bool(ambiguous.update(state="sent", sent_at=now, settled_at=now, last_error=""))


@transaction.atomic
def mark_ambiguous(message: Message, *, error: str) -> None:
    """Given over without an answer. It is never sent again by itself."""
    changed = Message.objects.filter(pk=message.pk, fence=message.fence, state="sending").update(
        state="ambiguous", fence=F("fence") + 1, lease_until=None, last_error=error[:2000]
    )
    if changed:
        message.state, message.last_error = Message.State.AMBIGUOUS, error[:2000]
        record("message.ambiguous", message, by=None)


def expire_sending() -> int:
    """What dead workers were in the middle of sending: nobody knows whether it arrived."""
    lost = list(ledger.expired(Message, state="sending").select_related("account")[:500])
    for message in lost:
        with account_scope(message.account_id):
            mark_ambiguous(message, error="the worker ended while the server had the message")
    return len(lost)


@transaction.atomic
def settle(message: Message, *, by, outcome: str) -> Message:
    """A person decides about an ambiguous message: it "arrived", or "send_again"."""
    if outcome not in ("arrived", "send_again"):
        raise Invalid(f"{outcome!r} is no outcome; use 'arrived' or 'send_again'", field="outcome")
    now = timezone.now()
    arrived = outcome == "arrived"
    values = (
        {"state": "sent", "sent_at": message.sent_at or now}
        if arrived
        else {"state": "queued", "due_at": now, "slot_at": now, "attempts": 0}
    )
    changed = Message.objects.filter(pk=message.pk, state="ambiguous").update(
        **values, settled_at=now, fence=F("fence") + 1, claim=""
    )
    if not changed:
        raise Invalid(
            f"This message is {Message.objects.get(pk=message.pk).state}; only an ambiguous one can be settled",
            field="outcome",
        )
    message.refresh_from_db()
    if not arrived:
        Enrolment.objects.filter(pk=message.enrolment_id).update(
            state=Enrolment.State.IN_FLIGHT, updated_at=now
        )
    record("message.settled", message, by=by, outcome=outcome)
    ring("outreach.tasks.plan_due" if arrived else "outreach.tasks.send_due")
    return message
