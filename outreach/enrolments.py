"""Moving enrolments: stopping them, holding them, giving their unsent messages up."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from outreach import caps
from outreach.models import Enrolment, Message
from pipelime.events.recording import record_all

LIVE = (Enrolment.State.WAITING, Enrolment.State.IN_FLIGHT, Enrolment.State.HELD)


@transaction.atomic
def stop(enrolments: QuerySet[Enrolment], *, reason: str, state: str = Enrolment.State.STOPPED) -> int:
    """End these enrolments and cancel what is not on its way yet. What is being sent cannot be recalled."""
    live = list(enrolments.filter(state__in=LIVE).select_related("campaign", "contact"))
    if not live:
        return 0
    ids = [enrolment.pk for enrolment in live]
    cancel(Message.objects.filter(enrolment__in=ids), error=reason)
    Enrolment.objects.filter(pk__in=ids).update(state=state, reason=reason[:500], updated_at=timezone.now())
    for enrolment in live:
        enrolment.state, enrolment.reason = state, reason[:500]
    record_all("enrolment.status_changed", [(enrolment, {}) for enrolment in live], by=None)
    return len(live)


def cancel(messages: QuerySet[Message], *, error: str) -> list[Message]:
    """Cancel what is queued or claimed. The fence moves, so a worker that holds one cannot send it."""
    found = list(messages.filter(state__in=("queued", "claimed")))
    cancelled = []
    for message in found:
        changed = Message.objects.filter(pk=message.pk, fence=message.fence, state=message.state).update(
            state=Message.State.CANCELLED, fence=F("fence") + 1, lease_until=None, last_error=error[:2000]
        )
        if changed:
            cancelled.append(message)
    caps.give_back(cancelled)
    return cancelled
