"""The place on a contact's page where it is said why nothing comes."""

from __future__ import annotations

from typing import Any

from django import template

from crm.models import Contact
from outreach.models import Enrolment

register = template.Library()


@register.inclusion_tag("backoffice/why_not_later.html")
def why_nothing_comes(contact: Contact) -> dict[str, Any]:
    """Empty for a contact that is in no campaign."""
    places = Enrolment.objects.filter(contact=contact, campaign__deleted_at=None)
    return {"contact": contact, "has_joined": places.exists()}
