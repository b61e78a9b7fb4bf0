"""Sends again what an endpoint has missed: one delivery, or everything since a moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from pipelime.bulk import in_chunks
from pipelime.doorbell import ring
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from pipelime.events.recording import record
from webhooks.dialects import dialect_named
from webhooks.models import Delivery, Endpoint
from webhooks.subscribing import BELL, Heard, insert_deliveries, listener_of, render, wanted

CHUNK = 500
State = Delivery.State
EARLIER_OF_THE_SAVE = Event.objects.filter(
    subject_type=OuterRef("subject_type"), subject_id=OuterRef("subject_id"), at=OuterRef("at"),
    pk__lt=OuterRef("pk"),
)  # fmt: skip
# Given up, called off, or waiting for another attempt: a first attempt that is due anyway is not missed.
MISSED = Q(state__in=[State.FAILED, State.CANCELLED]) | Q(state=State.QUEUED, attempts__gt=0)


@transaction.atomic
def replay(
    endpoint: Endpoint, *, by: Any, since: datetime | None = None, delivery: Delivery | None = None
) -> int:
    """Queue one delivery again, or all that did not arrive since a moment. Returns how many.

    Every delivery keeps its webhook-id, by which receivers tell a repetition; events from while the
    endpoint was disabled, which have none yet, get theirs.
    """
    if (since is None) == (delivery is None):
        raise Invalid("Say what to replay: either since a moment, or one delivery", field="since")
    if not endpoint.is_enabled:
        raise Conflict("This webhook is disabled; enable it, then replay", existing=str(endpoint.uid))
    if delivery is not None:
        count = replay_one(endpoint, delivery)
    elif since is not None:
        count = replay_since(endpoint, since)
    if count:
        record("endpoint.replayed", endpoint, by=by, count=count)
    return count


def replay_one(endpoint: Endpoint, delivery: Delivery) -> int:
    """An arrived delivery may be sent again too: somebody asked for this very one."""
    rows = own(endpoint).filter(pk=delivery.pk)
    if not rows.exists():
        raise Invalid("This delivery belongs to another webhook", field="delivery")
    if not delivery.body and delivery.event is None:
        raise Invalid(
            "The body of this delivery and its event are past their retention; neither can be sent again",
            field="delivery",
        )
    return queue(endpoint, rows.exclude(state=State.CLAIMED))


def replay_since(endpoint: Endpoint, since: datetime) -> int:
    if since > timezone.now():
        raise Invalid("since lies in the future; give the moment from which to replay", field="since")
    missed = own(endpoint).filter(MISSED, event__at__gte=since)
    return queue(endpoint, missed) + sum(map(insert_deliveries, unheard(endpoint, since)))


def unheard(endpoint: Endpoint, since: datetime) -> Iterable[list[Heard]]:
    """Events that no delivery to this endpoint was ever made for, in chunks."""
    listener = listener_of(endpoint)
    heard = own(endpoint).filter(event=OuterRef("pk"))
    events = Event.objects.filter(~Exists(heard), account_id=endpoint.account_id, at__gte=since)
    if dialect_named(endpoint.dialect).once_a_save.issuperset(endpoint.events):
        events = events.exclude(Exists(EARLIER_OF_THE_SAVE))
    for chunk in in_chunks(events.order_by("pk").iterator(CHUNK), CHUNK):
        yield wanted(chunk, [listener])


def queue(endpoint: Endpoint, rows: QuerySet[Delivery]) -> int:
    """Make rows due now with all their attempts before them; what is too old to have a body gets it anew."""
    restore_bodies(endpoint, rows.filter(body="", event__isnull=False))
    count = rows.exclude(body="").update(
        state=State.QUEUED, due_at=timezone.now(), attempts=0, claim="", lease_until=None
    )
    if count:
        ring(BELL)
    return count


def restore_bodies(endpoint: Endpoint, rows: QuerySet[Delivery]) -> None:
    listener = listener_of(endpoint)
    for chunk in in_chunks(list(rows.select_related("event")), CHUNK):
        bodies = render([Heard(listener, delivery.event, delivery.event_name) for delivery in chunk])
        for delivery in chunk:
            delivery.body = bodies[listener.kind, delivery.event_id]
        Delivery.objects.bulk_update(chunk, ["body"])


def own(endpoint: Endpoint) -> QuerySet[Delivery]:
    return Delivery.objects.filter(account_id=endpoint.account_id, endpoint=endpoint)
