"""The one door through which a change becomes history, feed, journal and webhooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from pipelime.bulk import insert_row, insert_rows, take_ids
from pipelime.events.models import Event


def record(name: str, subject, *, by, **data: Any) -> Event:
    """Write an event in the caller's transaction, and let the subscribers add their rows to it.

    `by` is a User, an ApiKey or None for the machine. `data` joins the subject's own snapshot;
    `changes={field: [old, new]}` is what updates pass.
    """
    [event] = record_many([(name, subject, data)], by=by)
    return event


def record_all(name: str, facts: Iterable[tuple[Any, dict]], *, by) -> list[Event]:
    """The same for many subjects at once: `facts` are (subject, data) pairs of one account."""
    return record_many([(name, subject, data) for subject, data in facts], by=by)


def record_changes(
    subject, changed: Mapping[str, list], *, by, events: Mapping[str, str], other: str
) -> list[Event]:
    """What one save changed: each field belongs to the event that `events` names for it, or to `other`.

    All of them keep the subject as it is after the save.
    """
    shares: dict[str, dict[str, list]] = {}
    for field, change in changed.items():
        shares.setdefault(events.get(field, other), {})[field] = change
    snapshot = subject.snapshot()
    facts = [(name, subject, {"object": snapshot, "changes": share}) for name, share in shares.items()]
    return record_many(facts, by=by)


def record_many(facts: Iterable[tuple[str, Any, dict]], *, by) -> list[Event]:
    """(name, subject, data) of one account. Events of one save come in one batch and have one moment,
    by which whoever hears them knows that they belong together."""
    actor_id, actor_name = by.actor if by is not None else (None, "")
    now = timezone.now()
    return write(
        [
            Event(
                account_id=account_of(subject),
                name=name,
                at=now,
                actor_id=actor_id,
                actor_name=actor_name,
                subject_type=subject._meta.model_name,
                subject_id=subject.pk,
                subject_uid=subject.uid,
                **parent_of(subject),
                data={"object": data.pop("object", None) or subject.snapshot(), **data},
            )
            for name, subject, data in facts
        ]
    )


def parent_of(subject) -> dict[str, Any]:
    """Whose history the event belongs to as well, if the subject is part of something."""
    parent = getattr(subject, "parent", None)
    if parent is None:
        return {}
    return {"parent_type": parent._meta.model_name, "parent_id": parent.pk}


def account_of(subject) -> int:
    """An account is about itself; everything else names its own."""
    return subject.pk if subject._meta.model_name == "account" else subject.account_id


COLUMNS = (
    "id", "uid", "account_id", "name", "at", "actor_id", "actor_name",
    "subject_type", "subject_id", "subject_uid", "parent_type", "parent_id", "data",
)  # fmt: skip


def write(events: Sequence[Event]) -> list[Event]:
    """Store events and tell the subscribers; bulk writers that have no model instances call this."""
    if not connection.in_atomic_block:
        raise RuntimeError("An event must be written in the transaction of the change it tells of")
    if not events:
        return []
    events = list(events)
    if len(events) == 1:
        [event] = events
        event.pk = insert_row(Event, COLUMNS[1:], [getattr(event, name) for name in COLUMNS[1:]])
    else:
        for event, pk in zip(events, take_ids(Event, len(events)), strict=True):
            event.pk = pk
        insert_rows(Event, COLUMNS, [[getattr(event, name) for name in COLUMNS] for event in events])
    for subscriber in subscribers():
        subscriber(events)
    return events


@cache
def subscribers() -> list:
    return [import_string(path) for path in settings.EVENT_SUBSCRIBERS]
