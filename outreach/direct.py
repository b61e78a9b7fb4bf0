"""Direct mail in the ledger, to one lead: no enrolment stands behind it, and no plan would make it anew."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from crm.importing.values import email_key
from outreach import caps
from outreach.enrolments import UNCAPPED, UNSENT, cancel, locked
from outreach.models import Message
from pipelime.bulk import in_chunks
from pipelime.errors import Invalid
from pipelime.events.recording import record, record_all
from pipelime.scope import account_scope

LONGEST_WAIT = timedelta(days=7)


def drop_to(keys: Collection[str], *, reason: str) -> int:
    """Drop what is meant for these addresses or domains, given as their keys."""
    waiting = Message.objects.direct().filter(state__in=UNSENT).values_list("pk", "to_address")
    covered = [
        pk for pk, address in waiting if (key := email_key(address)) in keys or key.rpartition("@")[2] in keys
    ]
    return drop(Message.objects.filter(pk__in=covered), reason=reason) if covered else 0


@transaction.atomic
def drop(messages: QuerySet[Message], *, reason: str) -> int:
    """Cancel what is not on its way yet. The lead's history says why, since nothing else will."""
    ids = [message.pk for message in cancel(messages.direct(), error=reason)]
    for chunk in in_chunks(ids, 500):
        dropped = Message.objects.filter(pk__in=chunk).select_related("lead").order_by("pk")
        record_all("message.failed", [(message, {"reason": reason}) for message in dropped], by=None)
    return len(ids)


@transaction.atomic
def withdraw(message: Message, *, by) -> Message:
    """Somebody no longer wants a mail to a lead to be sent that still waits for its turn."""
    if not message.is_direct:
        raise Invalid("A mail of a campaign goes with its enrolment: pause or remove the contact there")
    waiting = Message.objects.filter(pk=message.pk, state=Message.State.QUEUED)
    reason = f"withdrawn by {by.actor[1]}" if by is not None else "withdrawn"
    if not cancel(waiting, error=reason):
        message.refresh_from_db()
        raise Invalid(f"This message is {message.state}; only a queued one can be withdrawn")
    message.refresh_from_db()
    record("message.failed", message, by=by, reason=reason)
    return message


def expire() -> int:
    """What has waited for a week, in a paused mailbox for instance, would surprise whoever gets it."""
    earliest = timezone.now() - LONGEST_WAIT
    old = Message.objects.direct().filter(state=Message.State.QUEUED, slot_at__lt=earliest)
    return sum(give_up(message) for message in list(old.select_related("account", "mailbox")[:500]))


@transaction.atomic
def give_up(message: Message) -> bool:
    """Unless it has left the queue meanwhile."""
    mailbox = message.mailbox
    paused = f": {mailbox.email} is paused ({mailbox.pause_reason})" if mailbox and mailbox.paused_at else ""
    reason = f"not sent within {LONGEST_WAIT.days} days{paused}"
    with account_scope(message.account_id):
        changed = Message.objects.filter(pk=message.pk, state=Message.State.QUEUED).update(
            state=Message.State.FAILED, fence=F("fence") + 1, last_error=reason[:2000]
        )
        if changed:
            message.refresh_from_db()
            record("message.failed", message, by=None, reason=reason)
    return bool(changed)


@transaction.atomic
def take_back(messages: QuerySet[Message], *, error: str) -> int:
    """Workers lose what they hold and have not begun to send; it waits until it may go."""
    held = list(locked(messages.direct().filter(state=Message.State.CLAIMED)))
    Message.objects.filter(pk__in=[message.pk for message in held]).update(
        state=Message.State.QUEUED,
        fence=F("fence") + 1,
        claim="",
        lease_until=None,
        last_error=error[:2000],
        **UNCAPPED,
    )
    caps.give_back(held)
    return len(held)
