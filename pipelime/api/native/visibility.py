"""Leads and prospecting lists that a caller may see, for what hangs on them."""

from __future__ import annotations

from django.db.models import QuerySet

from crm.models import Lead, ProspectingList
from pipelime.api.callers import Caller
from pipelime.errors import Invalid


def leads_of(caller: Caller) -> QuerySet[Lead]:
    return Lead.objects.alive().visible_to(caller.user)


def lists_of(caller: Caller) -> QuerySet[ProspectingList]:
    return ProspectingList.objects.alive().visible_to(caller.user)


def check_seen(lead: Lead, caller: Caller) -> None:
    """A lead that a body names, and that the caller may not see, looks missing."""
    if not leads_of(caller).filter(pk=lead.pk).exists():
        raise Invalid(f"There is no lead with the id '{lead.uid}'", field="lead")
