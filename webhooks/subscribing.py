"""Turns events into deliveries, inside the transaction that wrote the events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import connection
from django.utils import timezone

from pipelime.bulk import insert_rows
from pipelime.doorbell import ring
from pipelime.events.models import Event
from pipelime.ids import uuid7
from webhooks.dialects import Dialect, dialect_named
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


class Kind(NamedTuple):
    """What of an endpoint decides how an event is written for it."""

    dialect: str
    target_type: str


class Listener(NamedTuple):
    """What of an endpoint decides who hears what."""

    endpoint_id: int
    account_id: int
    patterns: list[str]
    kind: Kind


class Heard(NamedTuple):
    """An event, the endpoint that hears of it, and the name by which it does."""

    listener: Listener
    event: Event
    name: str


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
            f"SELECT id, account_id, events, dialect, target_type FROM {Endpoint._meta.db_table} "  # noqa: S608
            f"WHERE account_id IN ({marks}) AND disabled_at IS NULL",
            list(accounts),
        )
        return [Listener(pk, owner, orjson.loads(names), Kind(*kind)) for pk, owner, names, *kind in cursor]


def listener_of(endpoint: Endpoint) -> Listener:
    kind = Kind(endpoint.dialect, endpoint.target_type)
    return Listener(endpoint.pk, endpoint.account_id, endpoint.events, kind)


def wanted(events: Sequence[Event], listeners: Iterable[Listener]) -> list[Heard]:
    """Who hears which event under which name."""
    found: list[Heard] = []
    named: dict[tuple[str, int], list[tuple[Event, tuple[str, ...]]]] = {}
    for listener in listeners:
        dialect, key = dialect_named(listener.kind.dialect), (listener.kind.dialect, listener.account_id)
        if key not in named:
            own = [event for event in events if event.account_id == listener.account_id]
            named[key] = list(with_names(own, dialect))
        heard = {
            names: dialect.heard(listener.patterns, names) for names in {names for _, names in named[key]}
        }
        found.extend(Heard(listener, event, name) for event, names in named[key] for name in heard[names])
    return found


def with_names(events: Iterable[Event], dialect: Dialect) -> Iterator[tuple[Event, tuple[str, ...]]]:
    """Those events that this dialect tells. The later events of a save leave out what the first has told."""
    saves = set()
    events = list(events)
    for event, known in zip(events, dialect.names_of(events), strict=True):
        names, save = known, (event.subject_type, event.subject_id, event.at)
        if save in saves:
            names = tuple(name for name in known if name not in dialect.once_a_save)
        saves.add(save)
        if names:
            yield event, names


def insert_deliveries(heard: Sequence[Heard]) -> int:
    """Freeze the bodies now, each event once for each kind of endpoint, and let workers know."""
    if not heard:
        return 0
    bodies, now = render(heard), timezone.now()
    insert_rows(
        Delivery,
        COLUMNS,
        [
            (
                uuid7(), event.account_id, listener.endpoint_id, event.pk, name,
                bodies[listener.kind, event.pk], "queued", now, now, 0, "", 0, "",
            )
            for listener, event, name in heard
        ],
    )  # fmt: skip
    ring(BELL)
    return len(heard)


def render(heard: Iterable[Heard]) -> dict[tuple[Kind, Any], str]:
    """{(kind, event id): body}; each dialect is called once for each kind of target."""
    by_kind: dict[Kind, dict[Any, Event]] = defaultdict(dict)
    for listener, event, _ in heard:
        by_kind[listener.kind][event.pk] = event
    bodies: dict[tuple[Kind, Any], str] = {}
    for kind, events in by_kind.items():
        written = dialect_named(kind.dialect).render(list(events.values()), kind.target_type)
        bodies.update(zip(((kind, pk) for pk in events), written, strict=True))
    return bodies


def disable_endpoints_of(event: Event) -> None:
    """An endpoint made with a key does not outlive it."""
    from webhooks.endpoints import disable_endpoint  # it records events, which come back to this module

    made_with_it = Endpoint.objects.filter(
        account_id=event.account_id, api_key_id=event.subject_id, disabled_at=None
    )
    for endpoint in made_with_it:
        disable_endpoint(endpoint, by=None, reason=KEY_GONE[event.name])
