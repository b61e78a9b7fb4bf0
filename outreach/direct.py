"""Direct mail in the ledger, to one lead: no enrolment stands behind it, and no plan would make it anew."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import F, QuerySet

from crm.importing.values import email_key
from outreach import caps
from outreach.enrolments import UNCAPPED, UNSENT, cancel, locked
from outreach.models import Message
from pipelime.bulk import in_chunks
from pipelime.events.recording import record_all


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
