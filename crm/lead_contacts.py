"""Who a lead's description speaks of: the contact with the address that it names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm.addresses import holder
from crm.contacts import create_contact
from crm.descriptions import person_in
from crm.importing.values import email_key
from crm.models import Contact, Field, Lead
from pipelime.accounts.models import Account
from pipelime.errors import Conflict


def contact_in(account: Account, description: str, fields: Sequence[Field], *, by) -> Contact | None:
    """Whoever the description names by an e-mail address: found, or made."""
    person = person_in(description, fields)
    if not person:
        return None
    if known := holder([email_key(person["email"])]):
        return known
    try:
        return create_contact(account, by=by, **person)
    except Conflict as conflict:  # somebody else made the same contact at this moment
        return Contact.objects.filter(uid=conflict.existing).first() if conflict.existing else None


def follow_description(lead: Lead, values: dict[str, Any], fields: Sequence[Field], *, by) -> None:
    """Another address in the description means another contact; a contact chosen by hand stays."""
    old, new = (key_in(text, fields) for text in (lead.description, values["description"]))
    if new and new != old:
        values["contact"] = contact_in(lead.account, values["description"], fields, by=by)
    elif old and not new and lead.contact and lead.contact.emails.filter(email_key=old).exists():
        values["contact"] = None


def key_in(description: str, fields: Sequence[Field]) -> str | None:
    person = person_in(description, fields)
    return email_key(person["email"]) if person else None
