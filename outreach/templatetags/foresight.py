"""Why a contact gets nothing now, for pages about contacts."""

from __future__ import annotations

from typing import Any

from django import template

from crm.models import Contact
from outreach.foresight import CODES, why_not
from outreach.models import Enrolment

SHOWN = 5  # each asks the engine what it would do

register = template.Library()


@register.inclusion_tag("backoffice/why_not.html")
def why_nothing_comes(contact: Contact) -> dict[str, Any]:
    """The campaigns that the contact joined last, each with every reason."""
    places = Enrolment.objects.filter(contact=contact, campaign__deleted_at=None).order_by("-pk")
    shown = list(places.select_related("campaign__account")[: SHOWN + 1])
    return {
        "places": [
            {
                "place": place,
                "reasons": [(one, CODES[one.code]) for one in why_not(contact, place.campaign)],
            }
            for place in shown[:SHOWN]
        ],
        "has_more": len(shown) > SHOWN,
        "contact": contact,
    }
