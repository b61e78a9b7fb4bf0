"""Bringing a message to its end: sent, or ambiguous until evidence or a person says what happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from outreach.enrolments import LIVE, UNCAPPED, locked, reopen
from outreach.models import Campaign, Enrolment, Message
from pipelime import ledger
from pipelime.doorbell import ring
from pipelime.errors import Invalid
from pipelime.events.recording import record, record_many
from pipelime.scope import account_scope

log = structlog.get_logger(__name__)


def mark_sent(message: Message) -> None:
    mark_all_sent([message])


@transaction.atomic(savepoint=False)
def mark_all_sent(messages: Sequence[Message]) -> None:
    """Servers took them, whatever was made of the rows while the answers were on their way."""
    now = timezone.now()
    fences = {message.pk: message.fence for message in messages}
    written = ledger.finish_all(Message, fences, held="sending", state="sent", sent_at=now, last_error="")
    facts = defaultdict(list)
    for message in messages:
        if message.pk in written or corrected(message, now):
            message.state, message.sent_at, message.last_error = Message.State.SENT, now, ""
            facts[message.account_id, message.created_by_id].append((message.done_event, message, {}))
        else:
            log.error("mail.sent_but_moved", message=str(message.uid))
    for (account_id, _), some in facts.items():
        with account_scope(account_id):
            record_many(some, by=some[0][1].created_by)


def corrected(message: Message, now: datetime) -> bool:
    """The sweep has called it ambiguous, and a person may have had it queued again: it did arrive."""
    moved = Message.objects.filter(pk=message.pk, fence__gt=message.fence)
    return bool(
        moved.filter(state__in=("ambiguous", "queued", "claimed")).update(
            state="sent", fence=F("fence") + 1, lease_until=None, sent_at=now, settled_at=now, last_error=""
        )
    )


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
    lost = list(ledger.expired(Message, state="sending").select_related("account", "lead")[:500])
    for message in lost:
        with account_scope(message.account_id):
            mark_ambiguous(message, error="the worker ended while the server had the message")
    return len(lost)


@transaction.atomic
def settle(message: Message, *, by, outcome: str) -> Message:
    """A person decides about an ambiguous message: it "arrived", or "send_again".

    A campaign that had finished goes on, so that it is followed up. To a contact that has left the campaign
    nothing is sent again: its message ends as cancelled. A direct mail belongs to no campaign: it is queued.
    """
    if outcome not in ("arrived", "send_again"):
        raise Invalid(f"{outcome!r} is no outcome; use 'arrived' or 'send_again'", field="outcome")
    place = Enrolment.objects.filter(pk=message.enrolment_id)
    runs = followed_by_campaign(message)
    now = timezone.now()
    if outcome == "arrived":
        values = {"state": "sent", "sent_at": message.sent_at or now}
    elif message.is_direct:
        values = again_direct(message, now)
    else:
        values = again(next(iter(locked(place)), None), now, runs=runs)
    change_ambiguous(message, values, now)
    record("message.settled", message, by=by, outcome=outcome)
    ring("outreach.tasks.plan_due" if outcome == "arrived" else "outreach.tasks.send_due")
    return message


@transaction.atomic
def settle_by_evidence(message: Message, *, evidence: str) -> bool:
    """Something has turned up that only a message that left can have caused: its copy, a bounce, a reply.

    One that a person has meanwhile asked to send again, and that still waits, arrived as well. False when
    there was no doubt.
    """
    doubtful = Message.objects.filter(
        Q(state="ambiguous") | Q(state="queued", settled_at__isnull=False), pk=message.pk
    )
    if not doubtful.exists():
        return False
    followed_by_campaign(message)
    now = timezone.now()
    changed = doubtful.update(
        state="sent", sent_at=now, settled_at=now, fence=F("fence") + 1, claim="", last_error=""
    )
    if changed:
        message.refresh_from_db()
        record("message.settled", message, by=None, outcome="arrived", evidence=evidence)
        ring("outreach.tasks.plan_due")
    return bool(changed)


def followed_by_campaign(message: Message) -> bool:
    """Lock the campaign of a live enrolment, first of all, and have a finished one go on. Whether it runs."""
    if not Enrolment.objects.filter(pk=message.enrolment_id, state__in=LIVE).exists():
        return False
    return any(one.status == "STARTED" for one in reopen(Campaign.objects.filter(pk=message.campaign_id)))


def again(enrolment: Enrolment | None, now: datetime, *, runs: bool) -> dict[str, Any]:
    """What "send_again" makes of the message: queued, or cancelled in favour of a plan or of nothing."""
    if enrolment is None or enrolment.state not in LIVE:
        why = enrolment.reason if enrolment else "it was deleted"
        return {"state": "cancelled", "last_error": f"not sent again, the contact left the campaign: {why}"}
    if enrolment.state == Enrolment.State.PAUSED:
        return {"state": "cancelled", "last_error": "planned anew when the contact's place is resumed"}
    state = Enrolment.State.IN_FLIGHT if runs else Enrolment.State.WAITING
    Enrolment.objects.filter(pk=enrolment.pk).update(state=state, due_at=now, updated_at=now)
    if runs:
        return {"state": "queued", "due_at": now, "slot_at": now, "attempts": 0}
    return {"state": "cancelled", "last_error": "planned anew when the campaign goes on"}


def again_direct(message: Message, now: datetime) -> dict[str, Any]:
    sender = message.linkedin_account or message.mailbox
    if sender is None or sender.deleted_at:
        raise Invalid(
            f"{message.from_address} is disconnected; write anew from another mailbox or LinkedIn account",
            field="outcome",
        )
    return {"state": "queued", "due_at": now, "slot_at": now, "attempts": 0}


def change_ambiguous(message: Message, values: dict[str, Any], now: datetime) -> None:
    # Its counters stay raised, since it may have left; when it is claimed again it is counted again.
    uncapped = {} if values["state"] == "sent" else UNCAPPED
    changed = Message.objects.filter(pk=message.pk, state="ambiguous").update(
        **values, **uncapped, settled_at=now, fence=F("fence") + 1, claim=""
    )
    message.refresh_from_db()
    if not changed:
        raise Invalid(
            f"This message is {message.state}; only an ambiguous one can be settled", field="outcome"
        )
