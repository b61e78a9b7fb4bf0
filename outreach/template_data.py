"""What a template sees of a lead: plain data from the lead, its description, its contact and its owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm.descriptions import emails_in, facts_in, first_address, lead_fields
from crm.importing.values import split_full_name
from crm.lead_keys import emails_of
from crm.models import Field, Lead
from outreach.letters import CONTACT_FIELDS, contact_data, sender_data
from outreach.models import EmailAccount
from pipelime.accounts.models import User
from pipelime.permalinks import permalink

Meaning = Field.Meaning
# Meanings that campaigns know by another name; the others keep their own, such as {{ city }}.
COLUMNS = {Meaning.JOB: "job_title"}
LEAD_VALUES = (
    "id", "title", "amount", "currency", "probability", "status", "step", "pipeline", "client", "tags",
    "permalink", "remind_date", "estimated_closing_date", "created_on",
)  # fmt: skip
PEOPLE_VALUES = ("name", "first_name", "last_name", "email", "phone", "mobile_phone", "job_title")
SENDER_VALUES = ("name", "first_name", "email", "signature")


def known_names() -> set[str]:
    """Every name that a template may use; `fields.*` is whatever the account calls its fields."""
    meanings = {COLUMNS.get(meaning, meaning.value) for meaning in Meaning}
    own = Field.objects.filter(kind=Field.Kind.CONTACT).values_list("key", flat=True)
    return {
        *CONTACT_FIELDS, "email", "company", "custom.*", "fields.*", "unsubscribe_url", "postal_address",
        *meanings, *own,
        *(f"lead.{name}" for name in LEAD_VALUES),
        *(f"user.{name}" for name in PEOPLE_VALUES),
        *(f"sender.{name}" for name in SENDER_VALUES),
    }  # fmt: skip


def address_of(lead: Lead, fields: Sequence[Field]) -> str | None:
    """Where a mail to the lead goes: what its description says first, then its contact, then its comments."""
    said = first_address(facts_in(lead.description, fields))
    written = emails_in(lead.description)
    contact = lead.contact.email if lead.contact and lead.contact.deleted_at is None else None
    return (
        said or (written[0] if written else None) or contact or next(iter(emails_of([lead])[lead.pk]), None)
    )


def data_of(
    lead: Lead, address: str, mailbox: EmailAccount, url: str, fields: Sequence[Field] | None = None
) -> dict[str, Any]:
    fields = lead_fields() if fields is None else fields
    return {
        **person_data(lead, address, fields),
        "lead": lead_data(lead),
        "fields": field_data(lead, fields),
        "user": {name: getattr(lead.owner, name) for name in PEOPLE_VALUES} if lead.owner else {},
        "sender": sender_data(mailbox),
        "postal_address": lead.account.postal_address.strip(),
        "unsubscribe_url": url,
    }


def person_data(lead: Lead, address: str, fields: Sequence[Field]) -> dict[str, Any]:
    """At top level, as in campaigns. What the description says goes before what its contact says."""
    person: dict[str, Any] = {"custom": {}}
    if lead.contact is not None and lead.contact.deleted_at is None:
        person = contact_data(lead.contact, address)
    person |= said_of_person(lead, fields)
    person["company"] = person.get("company") or (lead.client_folder.name if lead.client_folder else "")
    return person | {"email": address}


def said_of_person(lead: Lead, fields: Sequence[Field]) -> dict[str, str]:
    said: dict[str, str] = {}
    for field, value in facts_in(lead.description, fields):
        if field.meaning:
            said.setdefault(COLUMNS.get(Meaning(field.meaning), field.meaning), value.strip())
    if "full_name" in said and not {"first_name", "last_name"} & set(said):
        said["first_name"], said["last_name"] = split_full_name(said["full_name"])
    return {name: value for name, value in said.items() if value}


def field_data(lead: Lead, fields: Sequence[Field]) -> dict[str, Any]:
    """Values of the lead's fields by key, {{ fields.budget }}, and by name, {{ fields["Budget"] }}."""
    found: dict[str, Any] = dict(lead.custom_fields)
    said = {field: value.strip() for field, value in reversed(facts_in(lead.description, fields))}
    for field in fields:
        value = said.get(field) or lead.custom_fields.get(field.key)
        if value:
            found[field.key] = found[field.name] = value
    return found


def lead_data(lead: Lead) -> dict[str, Any]:
    return {
        "id": lead.pk,
        "title": lead.title,
        "amount": lead.amount,
        "currency": lead.currency,
        "probability": lead.probability,
        "status": lead.get_status_display(),
        "step": lead.step.name,
        "pipeline": lead.step.pipeline.name,
        "client": lead.client_folder.name if lead.client_folder else "",
        "tags": [tag.name for tag in lead.tags.all()],
        "permalink": permalink("leads", lead.pk),
        "remind_date": lead.remind_date,
        "estimated_closing_date": lead.estimated_closing_date,
        "created_on": lead.created_at.astimezone(lead.account.zone).date(),
    }


def mailbox_of(user: User) -> EmailAccount | None:
    """A person's mailbox, preferably one that sends."""
    own = EmailAccount.objects.of(user)
    return next((one for one in own if one.paused_at is None), own[0] if own else None)
