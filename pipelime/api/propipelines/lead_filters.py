"""Which leads a list shows, and in which order: the parameters of GET leads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import DecimalField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet

from crm.models import Field, Lead, Step, Tag
from crm.tags import spelt
from pipelime.accounts.editions import Feature, require
from pipelime.api.callers import Caller
from pipelime.api.propipelines.errors import missing, not_recognized
from pipelime.api.propipelines.parameters import (
    direction,
    flag,
    known_person,
    one_of,
    read_moment,
    several,
    sought,
)
from pipelime.api.propipelines.resources import as_id
from pipelime.errors import NotAllowed

PROBALIZED = ExpressionWrapper(F("amount") * F("probability"), DecimalField(max_digits=17, decimal_places=2))
ORDERS: dict[str, tuple[Any, ...]] = {
    "id": ("id",),
    "creation_date": ("created_at", "id"),
    "last_update": ("updated_at", "id"),
    "next_action": (F("reminder_at"), "id"),
    "sale_step": ("step__pipeline__position", "step__pipeline_id", "step__position", "id"),
    "amount": (F("amount"), "id"),
    "probability": (F("probability"), "id"),
    "probalized_amount": (PROBALIZED, "id"),
    "alphabetically": ("title_key", "id"),
}
COMMON = 1000  # leads with one tag
RANGES = {
    "creation": "created_at",
    "update": "updated_at",
    "next_action": "reminder_at",
    "closed": "closed_at",
}


def seen_leads(caller: Caller) -> QuerySet[Lead]:
    return Lead.objects.alive().visible_to(caller.user)


def sought_leads(rows: QuerySet[Lead], given: Any, caller: Caller) -> QuerySet[Lead]:
    """Those of `rows` that the parameters ask for, in the order that they name."""
    for narrowed in (assigned, of_status, in_steps, starred, owned, naming, with_key, tagged, dated):
        rows = narrowed(rows, given, caller)
    return rows.order_by(*ordering(given))


def ordering(given: Any) -> list[Any]:
    """What has no value comes last in either direction; ties stand by id."""
    way = direction(given, "desc")
    terms = ORDERS[one_of(given, "order", tuple(ORDERS), "id")]
    return [f"{way}{term}" if isinstance(term, str) else nulls_last(term, way) for term in terms]


def nulls_last(term: Any, way: str) -> Any:
    return term.desc(nulls_last=True) if way else term.asc(nulls_last=True)


def assigned(rows: QuerySet[Lead], given: Any, caller: Caller) -> QuerySet[Lead]:
    if not flag(given.get("include_unassigned"), "include_unassigned"):
        return rows.filter(owner__isnull=False)
    check_sees_unassigned(caller)
    return rows


def check_sees_unassigned(caller: Caller) -> None:
    if not caller.is_admin and not caller.user.sees_unassigned:
        raise NotAllowed("This user does not see unassigned leads")


def of_status(rows: QuerySet[Lead], given: Any, caller: Caller) -> QuerySet[Lead]:
    wanted = [status.lower() for status in several(given, "status")]
    if not set(wanted) <= set(Lead.Status.values):
        raise not_recognized("status")
    return rows.filter(status__in=wanted) if wanted else rows


def in_steps(rows: QuerySet[Lead], given: Any, caller: Caller) -> QuerySet[Lead]:
    """Steps by their exact names, or by their ids."""
    wanted = several(given, "step")
    if not wanted:
        return rows
    whole = sought(given, "step")  # the name of a step may hold a comma
    numbers = [number for text in wanted if (number := as_id(text))]
    steps = list(Step.objects.filter(Q(name__in=[*wanted, whole]) | Q(pk__in=numbers)))
    if any(step.name == whole for step in steps):
        wanted = [whole]
    if not all(any(is_called(step, text) for step in steps) for text in wanted):
        raise not_recognized("step")
    return rows.filter(step__in=[step for step in steps if any(is_called(step, text) for text in wanted)])


def is_called(step: Step, text: str) -> bool:
    return text in (step.name, str(step.pk))


def starred(rows: QuerySet[Lead], given: Any, caller: Caller) -> QuerySet[Lead]:
    return rows.filter(starred=True) if flag(given.get("starred"), "starred") else rows


def owned(rows: QuerySet[Lead], given: Any, caller: Caller) -> QuerySet[Lead]:
    wanted = sought(given, "user_id")
    return rows.filter(owner=known_person(wanted)) if wanted else rows


def naming(rows: QuerySet[Lead], given: Any, caller: Caller) -> QuerySet[Lead]:
    """Leads whose description or comments hold this address."""
    address = sought(given, "email")
    return rows.with_email(address) if address else rows


def with_key(rows: QuerySet[Lead], given: Any, caller: Caller) -> QuerySet[Lead]:
    name, value = sought(given, "field_key"), sought(given, "field_value")
    if not name and not value:
        return rows
    require(caller.account, Feature.KEY_FIELD_SEARCH)
    if not name or not value:
        raise missing("field_value" if name else "field_key")
    if not Field.objects.filter(kind=Field.Kind.LEAD, name=name, is_key=True).exists():
        raise not_recognized("field_key")
    return rows.with_key_value(name, value)


def tagged(rows: QuerySet[Lead], given: Any, caller: Caller) -> QuerySet[Lead]:
    """Leads that have every one of these tags."""
    keys = spelt(several(given, "tags"))
    for tag in Tag.objects.filter(name_key__in=list(keys)) if keys else ():
        rows = rows.filter(wearing(tag))
        del keys[tag.name_key]
    return rows.none() if keys else rows


def wearing(tag: Tag) -> Q:
    """A rare tag is where to begin; a common one is met soon enough by whoever goes through the leads."""
    links = Lead.tags.through.objects.filter(tag=tag)
    if len(links.values_list("pk")[: COMMON + 1]) <= COMMON:
        return Q(pk__in=links.values("lead"))
    return Q(Exists(links.filter(lead=OuterRef("pk"))))


def dated(rows: QuerySet[Lead], given: Any, caller: Caller) -> QuerySet[Lead]:
    zone = caller.account.zone
    column = RANGES[one_of(given, "date_range_type", tuple(RANGES), "creation")]
    if text := sought(given, "updated_after"):
        rows = rows.filter(updated_at__gte=read_moment(text, "updated_after", zone))
    if text := sought(given, "start_date"):
        rows = rows.filter(**{f"{column}__gte": read_moment(text, "start_date", zone)})
    if text := sought(given, "end_date"):
        rows = rows.filter(until(column, text, read_moment(text, "end_date", zone)))
    return rows


def until(column: str, text: str, end: datetime) -> Q:
    """A day counts until it is over; a moment says itself when that is."""
    if len(text) <= len("2014-03-12"):
        return Q(**{f"{column}__lt": end + timedelta(days=1)})
    return Q(**{f"{column}__lte": end})
