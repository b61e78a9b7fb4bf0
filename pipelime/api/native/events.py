"""Events as native webhooks carry them: Standard Webhooks bodies in our own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from pipelime.accounts.models import User
from pipelime.api.moments import utc_text
from pipelime.events.models import Event
from webhooks.dialects import Dialect


class Native(Dialect):
    def render(self, events: Sequence[Event], target_type: str) -> list[str]:
        """One minified body an event; one query for the lot, and none when no person acted."""
        people = actors(events)
        return [orjson.dumps(body(event, people), default=str).decode() for event in events]


dialect = Native()


def body(event: Event, people: dict[int, str]) -> dict[str, Any]:
    actor = {"id": people.get(event.actor_id), "name": event.actor_name} if event.actor_name else None
    return {
        "type": event.name,
        "timestamp": utc_text(event.at),
        "data": {"id": str(event.uid), **event.data, "actor": actor},
    }


def actors(events: Sequence[Event]) -> dict[int, str]:
    ids = {event.actor_id for event in events if event.actor_id}
    if not ids:
        return {}
    return {pk: str(uid) for pk, uid in User.objects.filter(pk__in=ids).values_list("pk", "uid")}
