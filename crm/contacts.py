"""Contacts: one person each, known by any of their addresses or, without one, by their LinkedIn page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from crm import addresses
from crm.companies import company_named
from crm.fields import check_custom_fields, merged
from crm.importing.values import clean_linkedin, clean_phone
from crm.models import Company, Contact, Lead
from crm.tags import set_tags, tags_named
from pipelime import locks
from pipelime.accounts.models import Account
from pipelime.changing import assign, check_belongs, checked, only_known, owner_given, remember, reread
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record
from pipelime.search import documents

TEXTS = ("first_name", "last_name", "job_title", "phone", "linkedin_url", "location", "time_zone")
CLEANERS: dict[str, Callable[[str], str]] = {"phone": clean_phone, "linkedin_url": clean_linkedin}
IDENTITY = {"first_name", "last_name", "phone", "linkedin_url", "email", "emails"}
FIELDS = (*TEXTS, "email", "emails", "company", "tags", "custom_fields", "owner")


@transaction.atomic
def create_contact(account: Account, *, by, **facts: Any) -> Contact:
    """Conflict, naming the contact that exists, when one of the addresses is known already."""
    values = contact_values(account, facts, by=by)
    wanted = addresses.wanted([], facts)
    values["custom_fields"] = merged({}, values.get("custom_fields", {}))
    contact = Contact(account=account, **values)
    check_identity(contact, wanted)
    contact.save()
    addresses.store(contact, [], wanted)
    tags = tags_named(account, facts.get("tags"), by=by)
    if tags:
        contact.tags.set(tags)
    if not wanted:
        remember(contact, emails=[])
    remember(contact, tags=tags)
    return told(contact, "contact.created", by=by)


@transaction.atomic
def update_contact(contact: Contact, *, by, **changes: Any) -> Contact:
    """Only what is given changes. `custom_fields` are laid over the stored ones, None takes one away;
    `tags` and `emails` replace theirs."""
    account = contact.account
    values = contact_values(account, changes, by=by)
    reread(contact)
    if "custom_fields" in values:
        values["custom_fields"] = merged(contact.custom_fields, values["custom_fields"])
    changed = assign(contact, values)
    columns = list(changed)
    if IDENTITY & set(changes):
        changed |= change_addresses(contact, changes)
    if "tags" in changes:
        changed |= set_tags(contact, changes["tags"], by=by)
    if not changed:
        return contact
    contact.touch(*columns)
    return told(contact, "contact.updated", by=by, changes=changed)


@transaction.atomic
def delete_contact(contact: Contact, *, by) -> None:
    """Softly: what was mailed stays known, and the addresses are free for a new contact."""
    reread(contact)
    contact.deleted_at = timezone.now()
    contact.touch("deleted_at")
    contact.emails.update(email_key=None)
    documents.remove("contact", [contact.pk])
    leads = list(Lead.objects.filter(contact=contact).values_list("pk", flat=True))
    Lead.touch_all(leads)
    Lead.objects.filter(pk__in=leads).update(contact=None)
    record("contact.deleted", contact, by=by)


def contact_values(account: Account, given: dict[str, Any], *, by) -> dict[str, Any]:
    """The columns of a contact from what a caller gave."""
    only_known("a contact", given, FIELDS)
    values = checked(Contact, {name: given[name] for name in TEXTS if name in given})
    for name, clean in CLEANERS.items():
        if values.get(name):
            values[name] = cleaned(name, values[name], clean)
    if "company" in given:
        values["company"] = find_company(account, given["company"], by=by)
    values |= owner_given(given, account.pk)
    if "custom_fields" in given:
        values["custom_fields"] = check_custom_fields(account, "contact", given["custom_fields"])
    return values


def find_company(account: Account, company: Company | str | None, *, by) -> Company | None:
    """A company as it is, or by its name: found or made."""
    if isinstance(company, Company):
        check_belongs(company, account.pk, field="company")
        return company
    if company is None or (isinstance(company, str) and not company.strip()):
        return None
    try:
        return company_named(account, company, by=by)
    except Invalid as error:
        raise Invalid(f"company {error}", field="company") from None


def cleaned(name: str, text: str, clean: Callable[[str], str]) -> str:
    try:
        return clean(text)
    except ValueError as error:
        raise Invalid(f"{name}: {error}", field=name) from None


def change_addresses(contact: Contact, changes: dict[str, Any]) -> dict[str, list]:
    before = addresses.stored(contact)
    wanted = addresses.wanted(before, changes)
    check_identity(contact, wanted)
    return addresses.store(contact, before, wanted)


def check_identity(contact: Contact, wanted: list[addresses.Address]) -> None:
    """Somebody needs something to be known by; without an address the LinkedIn page must be nobody else's."""
    if wanted:
        return
    if not (contact.first_name or contact.last_name or contact.phone or contact.linkedin_url):
        raise Invalid(
            "Nothing identifies this contact: give a name, an e-mail, a phone number or a LinkedIn page",
            field="email",
        )
    if not contact.linkedin_url:
        return
    locks.hold("linkedin", contact.account_id, contact.linkedin_url)
    same = Contact.objects.alive().filter(linkedin_url=contact.linkedin_url).exclude(pk=contact.pk)
    if existing := same.order_by("pk").first():
        raise Conflict("A contact with this LinkedIn page exists already", existing=str(existing.uid))


def told(contact: Contact, name: str, *, by, **data: Any) -> Contact:
    """Index and record, reading the contact's parts once for both."""
    prefetch_related_objects([contact], "emails", "tags")
    documents.index(contact, is_new=name == "contact.created")
    record(name, contact, by=by, **data)
    return contact
