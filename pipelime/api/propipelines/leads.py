"""Leads: listed, made, changed, given to people and to client folders, deleted."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework.response import Response

from crm.leads import create_lead, delete_lead, delete_leads, duplicate_lead, notify_owner, update_lead
from crm.models import Company, Lead
from pipelime.api.propipelines.answers import page
from pipelime.api.propipelines.errors import not_recognized, not_with_token, unprocessable
from pipelime.api.propipelines.lead_facts import CREATABLE, colleague, facts_in, step_named
from pipelime.api.propipelines.lead_filters import check_sees_unassigned, seen_leads, sought_leads
from pipelime.api.propipelines.lead_shapes import in_list, in_unassigned_list, single
from pipelime.api.propipelines.parameters import listed
from pipelime.api.propipelines.resources import ProPipeLinesViewSet, as_id

MOST_AT_ONCE = 1000


class LeadViewSet(ProPipeLinesViewSet):
    subject = "leads"

    def get_queryset(self):
        return seen_leads(self.caller).with_parts()

    def list(self, request) -> Response:
        rows = sought_leads(seen_leads(self.caller), self.given, self.caller)
        return page(rows, self.given, in_list, parts=Lead.objects.with_parts())

    def unassigned(self, request) -> Response:
        check_sees_unassigned(self.caller)
        rows = self.get_queryset().unassigned().order_by("-pk")
        return page(rows, self.given, in_unassigned_list)

    def create(self, request) -> Response:
        """Without a name, a program's lead is nobody's and a person's lead is their own."""
        body = {**self.body(), "title": self.needed("title"), "description": self.needed("description")}
        if body.get("user_id") in (None, ""):
            body.pop("user_id", None)
        elif self.caller.user is not None:
            raise not_with_token("user_id")
        facts = {"owner": self.caller.user, **facts_in(body, self.account, names=CREATABLE)}
        return Response(single(create_lead(self.account, by=self.by, **facts)), status=201)

    def retrieve(self, request, id: str) -> Response:
        return Response(single(self.row()))

    def update(self, request, id: str) -> Response:
        lead = self.row()
        return Response(single(changed(self, lead, **facts_in(self.body(), self.account, near=lead))))

    def assign(self, request, id: str) -> Response:
        """Whoever is given the lead is told by mail, unless they do not want to be."""
        lead = self.row()
        return Response(single(changed(self, lead, owner=colleague(self.needed("user_id")))))

    def add_to_client(self, request, id: str) -> Response:
        lead = self.row()
        folder = self.row(Company.objects.alive(), self.needed("client_id"))
        return Response(single(changed(self, lead, client_folder=folder)))

    def duplicate(self, request, id: str) -> Response:
        lead, step = self.row(), self.body().get("step")
        copy = duplicate_lead(lead, by=self.by, step=step_named(step, lead) if step else None)
        return Response(single(copy), status=201)

    def destroy(self, request, id: str) -> Response:
        return self.deleted(self.row(), delete_lead)

    def delete_multiple(self, request) -> Response:
        """Answers the ids that stay behind: of leads that are gone already, or never were this caller's."""
        wanted = ids_in(self.needed("ids", {**self.given.dict(), **self.body()}))
        found = list(self.get_queryset().filter(pk__in=wanted))
        delete_leads(found, by=self.by)
        gone = {lead.pk for lead in found}
        return Response([number for number in wanted if number not in gone])


class LeadPartViewSet(ProPipeLinesViewSet):
    """What belongs to the lead that the path names first."""

    subject = "leads"

    def lead(self) -> Lead:
        return self.row(seen_leads(self.caller), self.kwargs["lead_id"])


def changed(view: ProPipeLinesViewSet, lead: Lead, **changes: Any) -> Lead:
    """A program works in the first administrator's name, who is told even so of a lead that it gave them."""
    before = lead.owner_id
    with transaction.atomic():
        update_lead(lead, by=view.by, **changes)
        if view.caller.key and lead.owner_id != before and lead.owner == view.by:
            notify_owner(lead, by=view.caller.key)
    return lead


def ids_in(value: Any) -> list[int]:
    """Each once, in the order given."""
    numbers = [as_id(text) for text in listed(value)]
    if None in numbers:
        raise not_recognized("ids")
    if len(numbers) > MOST_AT_ONCE:
        raise unprocessable(f"{len(numbers)} leads at once are too many; at most {MOST_AT_ONCE} are taken")
    return list(dict.fromkeys(numbers))
