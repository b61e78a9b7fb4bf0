"""Events as native webhooks carry them: Standard Webhooks bodies in our own words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from pipelime.accounts.models import User
from pipelime.events.models import Event


def render(events: Sequence[Event]) -> list[str]:
    """One minified body an event; one query for the lot, and none when no person acted."""
    people = actors(events)
    return [orjson.dumps(body(event, people), default=str).decode() for event in events]


def body(event: Event, people: dict[int, str]) -> dict[str, Any]:
    actor = {"id": people.get(event.actor_id), "name": event.actor_name} if event.actor_name else None
    return {
        "type": event.name,
        "timestamp": moment(event.at),
        "data": {"id": str(event.uid), **event.data, "actor": actor},
    }


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def actors(events: Sequence[Event]) -> dict[int, str]:
    ids = {event.actor_id for event in events if event.actor_id}
    if not ids:
        return {}
    return {pk: str(uid) for pk, uid in User.objects.filter(pk__in=ids).values_list("pk", "uid")}
