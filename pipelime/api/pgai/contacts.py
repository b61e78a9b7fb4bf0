"""Contacts: listed, looked up and made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rest_framework.response import Response

from crm.contacts import create_contact
from crm.models import Contact
from pipelime.api.pgai.resources import PgaiViewSet
from pipelime.errors import Invalid, NotFound

REQUIRED = ("first_name", "last_name", "email")
TAKEN = (*REQUIRED, "job_title", "company", "linkedin_url", "phone", "location")


class ContactViewSet(PgaiViewSet):
    """People; one without an address is listed too, with null for it."""

    subject = "contacts"

    def get_queryset(self):
        return Contact.objects.alive()

    def list(self, request) -> Response:
        ids, pagination = self.page(self.get_queryset())
        rows = self.get_queryset().with_parts().filter(pk__in=ids).order_by("pk")
        return Response({"data": [summary(contact) for contact in rows], "pagination": pagination})

    def retrieve(self, request, id: str) -> Response:
        contact = self.get_queryset().filter(uid=as_uuid(id)).first()
        if contact is None:
            raise NotFound("Contact not found")
        return Response(summary(contact) | details(contact))

    def create(self, request) -> Response:
        facts = contact_facts(self.body())
        contact = create_contact(self.account, by=self.caller.by, **facts)
        return Response(summary(contact) | {"created_at": moment(contact.created_at)}, status=201)


def contact_facts(given: dict[str, Any]) -> dict[str, str]:
    """What the body says about a contact; words of no meaning here are passed over."""
    facts = {name: text_of(name, given[name]) for name in TAKEN if given.get(name) is not None}
    for name in REQUIRED:
        if not facts.get(name):
            raise Invalid(f"{name} is required", field=name)
    return facts


def text_of(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{name} must be a string", field=name)
    return value.strip()


def summary(contact: Contact) -> dict[str, Any]:
    return {
        "id": str(contact.uid),
        "first_name": contact.first_name or None,
        "last_name": contact.last_name or None,
        "email": contact.email,
        "job_title": contact.job_title or None,
        "company": contact.company.name if contact.company else None,
        "linkedin_url": page_of(contact.linkedin_url),
    }


def details(contact: Contact) -> dict[str, Any]:
    return {
        "location": contact.location or None,
        "phone": contact.phone or None,
        "created_at": moment(contact.created_at),
        "updated_at": moment(contact.updated_at),
    }


def page_of(linkedin_url: str) -> str | None:
    """The document writes the host without www, where the stored form, the one that identifies, has it."""
    return linkedin_url.replace("://www.", "://", 1) or None


def moment(value: datetime) -> str:
    """2026-01-15T09:00:00Z."""
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def as_uuid(text: str) -> UUID | None:
    """The id, or None for what is no UUID and thus names no row."""
    try:
        return UUID(text)
    except ValueError:
        return None
