"""Lead database: searches, over the account's own contacts. Its bodies are in snake case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework.response import Response

from crm.models import Contact
from outreach.models import ContactSearch
from outreach.searching import results_of, search_contacts
from pipelime.api.moments import utc_text
from pipelime.api.sendpilot.ids import id_of
from pipelime.api.sendpilot.resources import SendPilotViewSet, text_in
from pipelime.errors import Invalid

USUAL_LIMIT = 100


class SearchViewSet(SendPilotViewSet):
    subject = "leads"
    what = "Search"

    def get_queryset(self):
        return ContactSearch.objects.all()

    def create(self, request) -> Response:
        given = self.body()
        limit = given.get("limit", USUAL_LIMIT)
        if not isinstance(limit, int) or isinstance(limit, bool):
            raise Invalid("limit must be a whole number", field="limit")
        search = search_contacts(
            self.account,
            by=self.by,
            name=text_in(given, "name", most=250),
            filters=filters_in(given),
            limit=limit,
        )
        return Response(state(search), status=201)

    def status(self, request, id: str) -> Response:
        return Response(state(self.row(self.get_queryset(), id)))

    def results(self, request, id: str) -> Response:
        search = self.row(self.get_queryset(), id)
        page, limit = self.whole("page", 1), self.limit(100)
        found, total = results_of(search, start=(page - 1) * limit, count=limit), len(search.contact_ids)
        pages = {"total": total, "page": page, "limit": limit, "total_pages": -(-total // limit)}
        return Response({"search_id": id_of(search), "leads": people(found), "pagination": pages})


def filters_in(given: dict[str, Any]) -> dict[str, list[str]]:
    filters = given.get("filters") or {}
    if not isinstance(filters, dict):
        raise Invalid("filters must be an object", field="filters")
    for name, words in filters.items():
        if (
            not isinstance(words, list)
            or not all(isinstance(word, str) for word in words)
            or len(words) > 100
        ):
            raise Invalid(f"filters.{name} must be an array of at most 100 strings", field="filters")
    return filters


def state(search: ContactSearch) -> dict[str, Any]:
    """Nothing is left to be found once the search is through, however much was wanted."""
    return {
        "id": id_of(search),
        "name": search.name,
        "status": search.status,
        "progress": {
            "requested": search.requested,
            "found": len(search.contact_ids),
            "percent_complete": 100 if search.completed_at else 0,
        },
        "created_at": utc_text(search.created_at),
        "completed_at": utc_text(search.completed_at) if search.completed_at else None,
    }


def people(contacts: Sequence[Contact]) -> list[dict[str, Any]]:
    return [person(contact) for contact in contacts]


def person(contact: Contact) -> dict[str, Any]:
    company, own = contact.company, contact.custom_fields
    return {
        "id": f"contact_{contact.uid.hex}",
        "first_name": contact.first_name or None,
        "last_name": contact.last_name or None,
        "full_name": f"{contact.first_name} {contact.last_name}".strip() or None,
        "email": contact.email,
        "phone": contact.phone or None,
        "linkedin_url": contact.linkedin_url or None,
        "job_title": contact.job_title or None,
        "company": company.name if company else None,
        "location": contact.location or None,
        "country": own.get("country"),
        "industry": own.get("industry"),
        "seniority": own.get("seniority"),
        "company_linkedin_url": own.get("company_linkedin_url"),
        "website": company.domain or None if company else None,
        "employees": own.get("company_size"),
    }
