"""Why a contact gets nothing now: a part of the contact's page that is asked for once the page is there.

Each answer asks the engine what it would do, which takes its time where many contacts are due.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path

from crm.models import Contact
from outreach.foresight import CODES, why_not
from outreach.models import Enrolment
from pipelime.backoffice.admin import WorkspaceAdmin

SHOWN = 5


class WhyNotPart(WorkspaceAdmin):
    """Mixed into the pages of enrolments."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.why_not)
        return [path("why-not/<int:contact_id>/", view, name="outreach_why_not"), *super().get_urls()]

    def why_not(self, request: HttpRequest, contact_id: int) -> HttpResponse:
        contact = get_object_or_404(Contact.objects.filter(deleted_at=None), pk=contact_id)
        return TemplateResponse(request, "backoffice/why_not.html", reasons_of(contact))


def reasons_of(contact: Contact) -> dict[str, Any]:
    """The campaigns that the contact joined last, each with every reason."""
    places = Enrolment.objects.filter(contact=contact, campaign__deleted_at=None).order_by("-pk")
    shown = list(places.select_related("campaign__account")[: SHOWN + 1])
    return {
        "places": [
            {"place": place, "reasons": [(one, CODES[one.code]) for one in why_not(contact, place.campaign)]}
            for place in shown[:SHOWN]
        ],
        "has_more": len(shown) > SHOWN,
        "contact": contact,
    }
