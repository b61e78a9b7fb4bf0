"""Leads: contacts in campaigns, listed, read, added up to a hundred at once, and given a status by hand."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from outreach.adding import Person, add_people
from outreach.marking import mark
from outreach.models import Campaign, Enrolment
from pipelime.api.moments import utc_text
from pipelime.api.sendpilot import statuses
from pipelime.api.sendpilot.ids import id_of, uid_in, written
from pipelime.api.sendpilot.lead_fields import person_in
from pipelime.api.sendpilot.resources import SendPilotViewSet
from pipelime.errors import Invalid

MOST_AT_ONCE = 100
BEFORE_CONNECTING = (statuses.PENDING, statuses.CONNECTION_SENT)


class LeadViewSet(SendPilotViewSet):
    subject = "leads"
    what = "Lead"

    def get_queryset(self):
        return Enrolment.objects.filter(campaign__deleted_at=None)

    def with_parts(self):
        return statuses.with_status(self.get_queryset()).select_related("campaign", "contact__company")

    def list(self, request) -> Response:
        ids, pagination = self.numbered_page(self.filtered(), usual=50)
        rows = self.with_parts().filter(pk__in=ids).order_by("-pk")
        return Response({"leads": [shape(row) for row in rows], "pagination": pagination})

    def filtered(self):
        rows, given = self.get_queryset(), self.request.query_params
        if campaign := given.get("campaignId"):
            rows = rows.filter(campaign__uid=uid_in(Campaign, campaign))
        if status := given.get("status"):
            if status.upper() not in statuses.KNOWN:
                raise Invalid(f"status must be one of: {', '.join(statuses.KNOWN)}", field="status")
            rows = statuses.with_status(rows).filter(vendor_status=status.upper())
        return rows

    def retrieve(self, request, id: str) -> Response:
        return Response(shape(self.row(self.with_parts(), id)))

    def create(self, request) -> Response:
        given = self.body()
        campaign = self.row(Campaign.objects.alive(), given.get("campaignId"), what="Campaign")
        people, faults = sorted_out(leads_in(given))
        result = add_people(campaign, people, by=self.by)
        faults |= result.refused
        answer: dict[str, Any] = {
            "success": True,
            "leadsAdded": result.added,
            "duplicatesSkipped": result.known,
            "invalidEntries": len(faults),
        }
        if faults:
            answer["errors"] = [fault(given["leads"], at, faults[at]) for at in sorted(faults)]
        return Response(answer, status=201)

    def set_status(self, request, id: str) -> Response:
        lead, given = self.row(self.with_parts(), id), self.body()
        status, note = status_in(given), given.get("note") or ""
        if not isinstance(note, str):
            raise Invalid("note must be a string", field="note")
        previous = lead.vendor_status
        if facts := facts_of(status, previous):
            mark(lead, by=self.by, note=note, **facts)
        changed = self.with_parts().get(pk=lead.pk)
        return Response(
            {
                "success": True,
                "id": id_of(lead),
                "leadId": id_of(lead),
                "linkedinUrl": changed.contact.linkedin_url,
                "previousStatus": previous,
                "status": changed.vendor_status,
                "message": f"Lead status updated to '{changed.vendor_status}'",
                "updatedAt": utc_text(changed.updated_at),
            }
        )


def leads_in(given: dict[str, Any]) -> list[Any]:
    leads = given.get("leads")
    if not isinstance(leads, list) or not leads:
        raise Invalid("leads must be an array with at least 1 element", field="leads")
    if len(leads) > MOST_AT_ONCE:
        raise Invalid(f"leads must contain no more than {MOST_AT_ONCE} elements", field="leads")
    return leads


def sorted_out(leads: list[Any]) -> tuple[dict[int, Person], dict[int, str]]:
    """Those who can be read, and what is wrong with the others, by their position."""
    people, faults = {}, {}
    for position, given in enumerate(leads):
        try:
            people[position] = person_in(given)
        except Invalid as error:
            faults[position] = str(error)
    return people, faults


def fault(leads: list[Any], position: int, why: str) -> dict[str, Any]:
    given = leads[position]
    url = given.get("linkedinUrl") if isinstance(given, dict) else None
    return {"index": position, "linkedinUrl": url if isinstance(url, str) else None, "error": why}


def status_in(given: dict[str, Any]) -> str:
    status = given.get("status")
    if not isinstance(status, str) or status.upper() not in statuses.KNOWN:
        raise Invalid(
            f"status must be one of the following values: {', '.join(statuses.KNOWN)}", field="status"
        )
    return status.upper()


def facts_of(status: str, previous: str) -> dict[str, Any]:
    """What is to be noted, so that the lead has this status; nothing when it has it already."""
    if status == previous:
        return {}
    if status in statuses.BY_HAND:
        return {"intent": statuses.BY_HAND[status]}
    by_hand = {
        statuses.DONE: {"is_done": True, "intent": ""},
        statuses.REPLY_RECEIVED: {"has_replied": True, "intent": ""},
        statuses.CONNECTION_ACCEPTED: {"is_connected": True},
    }
    if status not in by_hand:
        raise Invalid(f"status {status} follows from what was sent; it cannot be set by hand", field="status")
    if status == statuses.CONNECTION_ACCEPTED and previous not in BEFORE_CONNECTING:
        raise Invalid(f"The status {status} does not come after {previous}", field="status")
    return by_hand[status]


def shape(lead: Any) -> dict[str, Any]:
    contact = lead.contact
    return {
        "id": id_of(lead),
        "linkedinUrl": contact.linkedin_url,
        "status": lead.vendor_status,
        "firstName": contact.first_name or None,
        "lastName": contact.last_name or None,
        "title": contact.job_title or None,
        "company": contact.company.name if contact.company else None,
        "campaignId": written(Campaign, lead.campaign.uid),
        "createdAt": utc_text(lead.created_at),
        "updatedAt": utc_text(lead.updated_at),
    }
