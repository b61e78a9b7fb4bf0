"""What happened to a lead, in the eight kinds of actions that this API knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.response import Response

from crm.models import Lead, Step
from pipelime.accounts.models import Account, User
from pipelime.api.propipelines.errors import not_recognized
from pipelime.api.propipelines.event_leads import name_of, number_of
from pipelime.api.propipelines.lead_filters import seen_leads, until
from pipelime.api.propipelines.parameters import (
    direction,
    moment,
    number,
    one_of,
    read_moment,
    several,
    sought,
)
from pipelime.api.propipelines.people import user_shape
from pipelime.api.propipelines.resources import ProPipeLinesViewSet, as_id
from pipelime.events.models import Event

MOST = 100
# The document gives "won" the number 3; its lists name the statuses in this order.
STATUSES = {status: place for place, status in enumerate(("todo", "standby", "won", "cancelled", "lost"), 1)}


class ActionHistoryViewSet(ProPipeLinesViewSet):
    subject = "leads"

    def get_queryset(self):
        return seen_leads(self.caller)

    def list(self, request, id: str) -> Response:
        lead = self.row()
        rows = sought_events(Event.objects.history_of(lead), self.given, self.account)
        limit = number(self.given, "limit", default=MOST, least=1, most=MOST)
        ordered = rows.select_related("actor").order_by(f"{direction(self.given, 'asc')}pk")
        found = list(ordered[:limit])
        return Response(histories(lead, found), headers={"X-TOTAL-COUNT": str(rows.count())})


def sought_events(rows: QuerySet[Event], given: Any, account: Account) -> QuerySet[Event]:
    kind = given.get("action_type")
    if kind:
        kind = one_of(given, "action_type", tuple(ACTIONS), "")
        rows = rows.filter(name=NAMES[kind]).filter(of_value(kind, sought(given, "action_value")))
    else:
        rows = rows.filter(name__in=ACTION_OF)
    if text := sought(given, "from"):
        rows = rows.filter(at__gte=read_moment(text, "from", account.zone))
    if text := sought(given, "to"):
        rows = rows.filter(until("at", text, read_moment(text, "to", account.zone)))
    if people := several(given, "user_ids"):
        rows = rows.filter(actor__in=everybody(people))
    return rows


def of_value(kind: str, value: str) -> Q:
    """A value that no step or status has any more filters nothing."""
    if kind == "status_changed" and value.lower() in STATUSES:
        return Q(data__object__status=value.lower())
    if kind == "step_changed" and value:
        steps = Step.objects.filter(Q(name=value) | Q(pk=as_id(value)))
        if numbers := list(steps.values_list("pk", flat=True)):
            return Q(data__object__step__number__in=numbers)
    return Q()


def everybody(people: Sequence[str]) -> list[int]:
    """The ids of these users, named by id or by e-mail address."""
    numbers = {number for text in people if (number := as_id(text))}
    emails = {User.normalise(text) for text in people if not as_id(text)}
    found = list(User.objects.filter(Q(pk__in=numbers) | Q(email__in=emails)).values_list("pk", flat=True))
    if len(found) < len(numbers) + len(emails):
        raise not_recognized("user_ids")
    return found


class Known:
    """Rows that events name by number, as they are today."""

    def __init__(self, events: Sequence[Event]):
        self.events = events

    @cached_property
    def positions(self) -> dict[int, int]:
        steps = Step.objects.filter(pk__in=self.numbers("step"))
        return dict(steps.values_list("pk", "position"))

    @cached_property
    def owners(self) -> dict[int, User]:
        return User.objects.in_bulk(self.numbers("owner"))

    def numbers(self, name: str) -> set[int]:
        return {number for event in self.events if (number := number_of(event.facts, name)) is not None}


def histories(lead: Lead, events: Sequence[Event]) -> list[dict[str, Any]]:
    known = Known(events)
    return [history_shape(lead, event, known) for event in events]


def history_shape(lead: Lead, event: Event, known: Known) -> dict[str, Any]:
    action = ACTION_OF[event.name]
    return {
        "id": event.pk,
        "lead_id": lead.pk,
        "action_type": action,
        "action_item": {"type": action, **ACTIONS[action](event, known)},
        "created_at": moment(event.at),
        "user": user_shape(event.actor),
    }


def subject_item(event: Event, known: Known) -> dict[str, Any]:
    return {"id": event.subject_id}


def amount_item(event: Event, known: Known) -> dict[str, Any]:
    amount = event.facts.get("amount")
    return {
        "id": event.pk,
        "amount": float(amount) if amount is not None else None,
        "probability": event.facts.get("probability"),
        "currency": event.facts.get("currency"),
    }


def step_item(event: Event, known: Known) -> dict[str, Any]:
    number = number_of(event.facts, "step")
    position = known.positions.get(number or 0)
    return {"id": number, "name": name_of(event.facts, "step"), "position": position}


def status_item(event: Event, known: Known) -> dict[str, Any]:
    status = event.facts.get("status", "")
    return {"id": STATUSES.get(status), "name": status or None}


def owner_item(event: Event, known: Known) -> dict[str, Any]:
    """Nobody, where the lead was taken away from its owner."""
    number = number_of(event.facts, "owner")
    owner = known.owners.get(number or 0)
    names = ("first_name", "last_name", "email")
    firstname, lastname, email = (getattr(owner, name, None) for name in names)
    return {"id": number, "firstname": firstname, "lastname": lastname, "email": email}


def folder_item(event: Event, known: Known) -> dict[str, Any]:
    return {"id": number_of(event.facts, "client_folder"), "name": name_of(event.facts, "client_folder")}


ACTIONS: dict[str, Callable[[Event, Known], dict[str, Any]]] = {
    "client_assigned": folder_item,
    "step_changed": step_item,
    "status_changed": status_item,
    "amount_set": amount_item,
    "user_assigned": owner_item,
    "lead_created": subject_item,
    "comment_added": subject_item,
    "email_sent": subject_item,
}
NAMES = {
    "client_assigned": "lead.client_changed",
    "step_changed": "lead.step_changed",
    "status_changed": "lead.status_changed",
    "amount_set": "lead.amount_changed",
    "user_assigned": "lead.assigned",
    "lead_created": "lead.created",
    "comment_added": "comment.created",
    "email_sent": "message.sent",
}
ACTION_OF = {name: action for action, name in NAMES.items()}
