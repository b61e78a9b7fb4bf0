"""Turns events into deliveries, inside the transaction that wrote the events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from pipelime.bulk import insert_rows
from pipelime.doorbell import ring
from pipelime.events.models import Event
from pipelime.events.names import matches
from pipelime.ids import uuid7
from webhooks.models import Delivery, Endpoint

BELL = "webhooks.tasks.deliver_due"
COLUMNS = (
    "uid", "account_id", "endpoint_id", "event_id", "event_name", "body",
    "state", "due_at", "created_at", "fence", "claim", "attempts", "last_error",
)  # fmt: skip
KEY_GONE = {
    "api_key.disabled": "Its API key was disabled",
    "api_key.revoked": "Its API key was revoked",
}


class Listener(NamedTuple):
    """What of an endpoint decides who hears what."""

    endpoint_id: int
    account_id: int
    patterns: list[str]
    dialect: str


def enqueue(events: Sequence[Event]) -> None:
    """Add a delivery for every event and every enabled endpoint that listens to it."""
    if listeners := listening({event.account_id for event in events}):
        insert_deliveries(wanted(events, listeners))
    for event in events:
        if event.name in KEY_GONE:
            disable_endpoints_of(event)


def listening(accounts: set[int]) -> list[Listener]:
    """One query for a batch of events, in plain SQL because every write of the installation pays for it."""
    marks = ", ".join(["%s"] * len(accounts))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, account_id, events, dialect FROM {Endpoint._meta.db_table} "  # noqa: S608
            f"WHERE account_id IN ({marks}) AND disabled_at IS NULL",
            list(accounts),
        )
        return [Listener(pk, owner, orjson.loads(names), dialect) for pk, owner, names, dialect in cursor]


def wanted(events: Sequence[Event], listeners: Iterable[Listener]) -> list[tuple[Listener, Event]]:
    by_account: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        by_account[event.account_id].append(event)
    pairs: list[tuple[Listener, Event]] = []
    for listener in listeners:
        own = by_account[listener.account_id]
        heard = {name for name in {event.name for event in own} if matches(name, listener.patterns)}
        pairs.extend((listener, event) for event in own if event.name in heard)
    return pairs


def insert_deliveries(pairs: Sequence[tuple[Listener, Event]]) -> int:
    """Freeze the bodies now, each event once for each dialect, and let workers know."""
    if not pairs:
        return 0
    bodies, now = render(pairs), timezone.now()
    insert_rows(
        Delivery,
        COLUMNS,
        [
            (
                uuid7(), event.account_id, listener.endpoint_id, event.pk, event.name,
                bodies[listener.dialect, event.pk], "queued", now, now, 0, "", 0, "",
            )
            for listener, event in pairs
        ],
    )  # fmt: skip
    ring(BELL)
    return len(pairs)


def render(pairs: Iterable[tuple[Listener, Event]]) -> dict[tuple[str, Any], str]:
    """{(dialect, event id): body}; each dialect's renderer is called once with all that it has to write."""
    by_dialect: dict[str, dict[Any, Event]] = defaultdict(dict)
    for listener, event in pairs:
        by_dialect[listener.dialect][event.pk] = event
    bodies: dict[tuple[str, Any], str] = {}
    for dialect, events in by_dialect.items():
        written = import_string(settings.WEBHOOK_RENDERERS[dialect])(list(events.values()))
        bodies.update(zip(((dialect, pk) for pk in events), written, strict=True))
    return bodies


def disable_endpoints_of(event: Event) -> None:
    """An endpoint made with a key does not outlive it."""
    from webhooks.endpoints import disable_endpoint  # it records events, which come back to this module

    made_with_it = Endpoint.objects.filter(
        account_id=event.account_id, api_key_id=event.subject_id, disabled_at=None
    )
    for endpoint in made_with_it:
        disable_endpoint(endpoint, by=None, reason=KEY_GONE[event.name])
