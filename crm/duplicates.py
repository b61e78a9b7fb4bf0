"""Which other leads are perhaps the same: of the same title, or with the same value in a key field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Q, QuerySet

from crm.models import Lead, LeadKey
from pipelime.accounts.models import User

MOST = 100


class Duplicate(NamedTuple):
    """`matches` are (what, value) pairs: the title first, then key fields by what they stand for."""

    lead: Lead
    matches: list[tuple[str, str]]


def duplicates_of(lead: Lead, *, seen_by: User | None) -> list[Duplicate]:
    """The oldest ones that this person may see; without a person, of all. Queries do not grow with them."""
    others = Lead.objects.alive().visible_to(seen_by).exclude(pk=lead.pk)
    rows = shared_keys(lead)
    titled = others.filter(title_key=lead.title_key).order_by("pk").values_list("pk", flat=True)
    ids = {*titled[:MOST], *keyed(rows, others)}
    found = list(others.filter(pk__in=sorted(ids)[:MOST]).with_parts().order_by("pk"))
    values = values_of(rows, found)
    return [Duplicate(other, title_match(lead, other) + values.get(other.pk, [])) for other in found]


def shared_keys(lead: Lead) -> QuerySet[LeadKey]:
    """Every row, of whatever lead, that says the same in the same field."""
    own = lead.keys.filter(field__isnull=False).values_list("field_id", "value_key")
    same = [Q(field=field_id, value_key=key) for field_id, key in own]
    return LeadKey.objects.filter(reduce(or_, same)) if same else LeadKey.objects.none()


def keyed(rows: QuerySet[LeadKey], others: QuerySet[Lead]) -> Iterable[int]:
    seen = rows.filter(lead__in=others.values("pk"))
    return seen.order_by("lead_id").values_list("lead_id", flat=True).distinct()[:MOST]


def values_of(rows: QuerySet[LeadKey], leads: Sequence[Lead]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    matching = rows.filter(lead__in=leads).select_related("field").order_by("field__position", "pk")
    for row in matching:
        what = row.field.meaning or row.field.name
        found.setdefault(row.lead_id, []).append((what, row.value))
    return found


def title_match(lead: Lead, other: Lead) -> list[tuple[str, str]]:
    return [("title", other.title)] if other.title_key == lead.title_key else []
