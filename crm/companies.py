"""Companies: made, changed, deleted softly, and found by name whatever its case and blanks."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.fields import check_custom_fields, merged
from crm.importing.values import clean_domain
from crm.models import Company, Contact, Lead
from pipelime import locks
from pipelime.accounts.models import Account
from pipelime.changing import assign, checked, only_known, owner_given, reread
from pipelime.errors import Invalid
from pipelime.events.recording import record
from pipelime.search import documents

FACTS = ("name", "domain", "description", "is_client", "is_active")
FIELDS = (*FACTS, "owner", "custom_fields")


@transaction.atomic
def create_company(account: Account, *, by, name: str, **facts: Any) -> Company:
    """Two companies may share a name: branches do."""
    values = company_values(account, {"name": name, **facts})
    values["custom_fields"] = merged({}, values.get("custom_fields", {}))
    company = Company.objects.create(account=account, **values)
    documents.index(company, is_new=True)
    record("company.created", company, by=by)
    return company


@transaction.atomic
def update_company(company: Company, *, by, **changes: Any) -> Company:
    values = company_values(company.account, changes)
    reread(company)
    if "custom_fields" in values:
        values["custom_fields"] = merged(company.custom_fields, values["custom_fields"])
    changed = assign(company, values)
    if changed:
        company.touch(*changed)
        documents.index(company)
        if "name" in changed:
            reindex_people(company)
        record("company.updated", company, by=by, changes=changed)
    return company


@transaction.atomic
def delete_company(company: Company, *, by) -> None:
    """Softly. Its people and leads stay, without a company."""
    reread(company)
    company.deleted_at = timezone.now()
    company.touch("deleted_at")
    documents.remove("company", [company.pk])
    people = reindex_people(company)
    Contact.touch_all(people)
    Contact.objects.filter(pk__in=people).update(company=None)
    leads = list(Lead.objects.filter(client_folder=company).values_list("pk", flat=True))
    Lead.touch_all(leads)
    Lead.objects.filter(pk__in=leads).update(client_folder=None)
    record("company.deleted", company, by=by)


@transaction.atomic
def company_named(account: Account, name: str, *, by) -> Company:
    """The oldest company of this name, or a new one."""
    name = checked(Company, {"name": name})["name"]
    key = Company.key_of(name)
    same = Company.objects.alive().filter(account=account, name_key=key).order_by("pk")
    if company := same.first():
        return company
    # No constraint keeps names apart, so two callers who both found nothing take turns here.
    locks.hold("company", account.pk, key)
    return same.first() or create_company(account, by=by, name=name)


def company_values(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    only_known("a company", given, FIELDS)
    values = checked(Company, {name: given[name] for name in FACTS if name in given})
    if values.get("domain"):
        values["domain"] = check_domain(values["domain"])
    values |= owner_given(given, account.pk)
    if "custom_fields" in given:
        values["custom_fields"] = check_custom_fields(account, "company", given["custom_fields"])
    return values


def check_domain(text: str) -> str:
    try:
        return clean_domain(text)
    except ValueError as error:
        raise Invalid(f"domain: {error}", field="domain") from None


def reindex_people(company: Company) -> list[int]:
    """A contact is found by the name of its company, too. Returns the contacts' ids."""
    people = list(Contact.objects.alive().filter(company=company).values_list("pk", flat=True))
    documents.later("contact", company.account_id, people)
    return people
