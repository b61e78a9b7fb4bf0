"""People put into a campaign by what is known of them: found or made as contacts, then enrolled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from crm.contacts import create_contact, update_contact
from crm.fields import create_field, key_of
from crm.importing.values import email_key
from crm.models import Contact, Field
from outreach.enrolling import enrol
from outreach.models import Campaign
from pipelime.errors import PipelimeError

HERE_ALREADY = "already_in_campaign"


@dataclass(frozen=True, slots=True)
class Person:
    """Facts as contacts have them, and values of custom fields under whatever names."""

    facts: dict[str, Any]
    own: dict[str, Any] = field(default_factory=dict)


@dataclass
class Added:
    """`refused` says of a position why this person could not be added."""

    added: int = 0
    known: int = 0
    refused: dict[int, str] = field(default_factory=dict)


@transaction.atomic
def add_people(campaign: Campaign, people: Mapping[int, Person], *, by) -> Added:
    """Each by position; one who cannot be added does not keep the others out."""
    result, contacts = Added(), {}
    for position, person in people.items():
        try:
            with transaction.atomic():
                contacts[position] = contact_of(campaign, person, by=by)
        except PipelimeError as error:
            result.refused[position] = str(error)
    outcome = enrol(campaign, Contact.objects.filter(pk__in=[one.pk for one in contacts.values()]), by=by)
    codes = {one["contact_id"]: one["code"] for one in outcome.who}
    seen: set[int] = set()
    for position, contact in contacts.items():
        code = codes.get(str(contact.uid), "")
        if code == HERE_ALREADY or contact.pk in seen:
            result.known += 1
        elif code:
            result.refused[position] = f"{contact} is left out: {code}"
        else:
            result.added += 1
        seen.add(contact.pk)
    return result


def contact_of(campaign: Campaign, person: Person, *, by) -> Contact:
    """The contact who has the profile or the address, with what was not known of them yet; or a new one."""
    values = custom_values(campaign, person.own, by=by)
    known = known_contact(person.facts)
    if known is None:
        return create_contact(campaign.account, by=by, **person.facts, custom_fields=values)
    new = {name: value for name, value in person.facts.items() if is_missing(known, name)}
    return update_contact(known, by=by, **new, **({"custom_fields": values} if values else {}))


def known_contact(facts: Mapping[str, Any]) -> Contact | None:
    everybody, url, address = (
        Contact.objects.alive().order_by("pk"),
        facts.get("linkedin_url"),
        facts.get("email"),
    )
    found = everybody.filter(linkedin_url=url).first() if url else None
    return found or (everybody.with_address(email_key(address)).first() if address else None)


def is_missing(contact: Contact, name: str) -> bool:
    """What somebody has written into the contact is not overwritten by a campaign's list."""
    return not getattr(contact, name)


def custom_values(campaign: Campaign, own: Mapping[str, Any], *, by) -> dict[str, Any]:
    """{key: value}; a field that the account does not know yet is defined by the first who has it."""
    known = {one.key: one for one in Field.objects.filter(kind=Field.Kind.CONTACT)}
    values = {}
    for name, value in own.items():
        found = known.get(key_of(name)) or create_field(
            campaign.account, by=by, kind=Field.Kind.CONTACT, name=name
        )
        known[found.key] = found
        values[found.key] = value if found.type == Field.Type.NUMBER else str(value)
    return values
