"""Events as this vendor's webhooks carry them: its names, its bodies, its envelope signed in the body."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from pipelime.accounts.editions import Feature, require
from pipelime.accounts.models import Account
from pipelime.api.propipelines import event_names
from pipelime.api.propipelines.event_leads import LeadData, lead_of
from pipelime.api.propipelines.event_mail import letter
from pipelime.api.propipelines.fields import PARENTS, UNSET
from pipelime.errors import Invalid
from pipelime.events.models import Event
from webhooks.dialects import Choice, Dialect, Letter, check_names
from webhooks.models import Delivery, Endpoint

NAME = "propipelines"


class ProPipeLines(Dialect):
    """An endpoint has one event; several endpoints may hear the same fact under different names."""

    label = "Pro Pipe Lines"
    targets = ("url", "email")
    triggered = event_names.TRIGGERED
    once_a_save = frozenset({event_names.ANY_UPDATE})
    is_once = True

    def names(self, event: Event) -> tuple[str, ...]:
        return event_names.names_of(event)

    def heard(self, patterns: list[str], names: tuple[str, ...]) -> tuple[str, ...]:
        """As it was written when it was asked for."""
        happened = set(map(event_names.spelled, names))
        return tuple(name for name in patterns if event_names.spelled(name) in happened)[:1]

    def check_events(self, account: Account, events: Sequence[str]) -> list[str]:
        names = check_names(events)
        if len(names) > 1:
            raise Invalid("A webhook of Pro Pipe Lines hears one event; make one for each", field="events")
        if not event_names.is_known(account, names[0]):
            raise Invalid(
                f"{names[0]!r} is no event; use a name such as lead.creation or "
                f"{event_names.TO_STEP}PIPELINE.STEP with the names of a pipeline and its step",
                field="events",
            )
        if names[0] not in event_names.BASIC:
            require(account, Feature.ADVANCED_EVENTS)
        return names

    def choices(self, account: Account) -> list[Choice]:
        steps = event_names.step_events(account)
        groups = {"Basic": event_names.BASIC, "Advanced": event_names.ADVANCED, "Steps": steps}
        return [(group, [(name, name) for name in names]) for group, names in groups.items()]

    def new_secret(self) -> str:
        """A signing key for endpoints that no API key has made."""
        return secrets.token_urlsafe(32)

    def sender(self, endpoint: Endpoint) -> Envelope:
        return Envelope(endpoint)

    def render(self, events: Sequence[Event], target_type: str) -> list[str]:
        about_leads = [event for event in events if lead_of(event)]
        leads = LeadData(about_leads, with_comments=target_type == Endpoint.TargetType.EMAIL)
        written = iter(leads.shapes(about_leads))
        shapes = [next(written) if lead_of(event) else shape_of(event) for event in events]
        return [orjson.dumps(shape, default=str).decode() for shape in shapes]

    def letter(self, delivery: Delivery) -> Letter:
        return letter(delivery.event_name, orjson.loads(delivery.body))


class Envelope:
    """What is posted: the counters are those of the attempt under way, and the signature is in the body."""

    def __init__(self, endpoint: Endpoint):
        self._key = endpoint.secret

    def request(self, delivery: Delivery, at: datetime) -> tuple[dict[str, str], bytes]:
        facts = {
            **head(delivery, self._key),
            "try_count": delivery.attempts + 1,
            "data": orjson.Fragment(delivery.body),
        }
        return {"content-type": "application/json"}, orjson.dumps({"webhook_event": facts})


def head(delivery: Delivery, key: str) -> dict[str, Any]:
    """What a webhook event says about itself."""
    return {
        "id": delivery.pk,
        "event": delivery.event_name,
        "signature": signature(delivery.pk, key),
        "has_succeeded": delivery.state == Delivery.State.DONE,
        "try_count": delivery.attempts,
        "last_returned_code": delivery.last_status,
    }


def signature(number: int, key: str) -> str:
    """The vendor's own scheme; SHA-1 is what its receivers compute."""
    return hashlib.sha1(f"{number}{key}".encode(), usedforsecurity=False).hexdigest()


def shape_of(event: Event) -> dict[str, Any]:
    """Whatever is no lead, from what the event has kept of it, so that deleted rows can be told of."""
    write = SHAPES.get(event.subject_type)
    return write(event.facts) if write else {**event.facts, "id": event.facts.get("number")}


def prospect_shape(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": facts.get("number"),
        "lead_id": facts.get("lead_id"),
        "is_active": facts.get("is_active"),
        "content": facts.get("content"),
        "spreadsheet_id": facts.get("prospecting_list_id"),
    }


def task_shape(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": facts.get("number"),
        "title": facts.get("title"),
        "status": facts.get("status"),
        "due_at": facts.get("due_at"),
        "follow_up_id": facts.get("follow_up_id"),
        "lead_id": facts.get("lead_id"),
        "user_id": facts.get("owner_id"),
    }


def step_shape(facts: Mapping[str, Any]) -> dict[str, Any]:
    pipeline = facts.get("pipeline") or {}
    return {
        "id": facts.get("number"),
        "name": facts.get("name"),
        "position": facts.get("position"),
        "pipeline_id": pipeline.get("number"),
        "pipeline": {"id": pipeline.get("number"), "name": pipeline.get("name")},
    }


def pipeline_shape(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": facts.get("number"), "name": facts.get("name"), "is_default": facts.get("is_default")}


def field_shape(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": facts.get("number"),
        "name": facts.get("name"),
        "type": facts.get("meaning") or UNSET,
        "parent_type": PARENTS.get(facts.get("kind", "")),
    }


SHAPES: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "prospect": prospect_shape,
    "followuptask": task_shape,
    "step": step_shape,
    "pipeline": pipeline_shape,
    "field": field_shape,
}
dialect = ProPipeLines()
