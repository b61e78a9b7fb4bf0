"""Contacts as an import finds them: everything that a record is compared with, locked while it is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from crm.importing.lookups import lookup
from crm.importing.people import TEXTS
from crm.models import Company, Contact, ContactEmail, Tag

COLUMNS = (
    *TEXTS, "id", "uid", "company_id", "custom_fields", "version", "status", "owner_id", "created_at",
    "updated_at", "time_zone",
)  # fmt: skip


class CompanyFacts(NamedTuple):
    id: int
    uid: UUID
    name: str
    key: str

    def facts(self) -> dict[str, Any]:
        return {"id": str(self.uid), "number": self.id, "name": self.name}


class ContactFacts:
    """A contact with its parts. `values` holds its columns by name."""

    __slots__ = ("company", "emails", "tags", "values")

    def __init__(self, values: dict[str, Any], company: CompanyFacts | None) -> None:
        self.values = values
        self.company = company
        self.emails: dict[str, dict[str, Any]] = {}  # key: address, label, is_primary
        self.tags: dict[str, str] = {}  # key: name

    def snapshot(self) -> dict[str, Any]:
        """The contact as events keep it, in the same shape as the model's own snapshot."""
        values, emails = self.values, list(self.emails.values())
        email = emails[0]["address"] if emails else None
        name = f"{values['first_name']} {values['last_name']}".strip()
        return {
            "id": str(values["uid"]),
            "number": values["id"],
            "email": email,
            "emails": emails,
            "name": name or email or values["phone"] or values["linkedin_url"],
            "first_name": values["first_name"],
            "last_name": values["last_name"],
            "company": self.company.facts() if self.company else None,
            "job_title": values["job_title"],
            "phone": values["phone"],
            "linkedin_url": values["linkedin_url"],
            "location": values["location"],
            "time_zone": values["time_zone"],
            "status": values["status"],
            "tags": sorted(self.tags.values(), key=str.casefold),
            "custom_fields": values["custom_fields"],
            "owner_id": values["owner_id"],
            "created_at": values["created_at"].isoformat(),
            "updated_at": values["updated_at"].isoformat(),
        }

    def search_text(self) -> str:
        values = self.values
        addresses = " ".join([email["address"] for email in self.emails.values()])
        company = self.company.name if self.company else ""
        return (
            f"{values['first_name']} {values['last_name']} {addresses} {company}"
            f" {values['job_title']} {values['phone']}"
        )


def load(contact_ids: set[int], *, lock: bool) -> dict[int, ContactFacts]:
    """Contacts by id. Locked in the order of their ids, so that two writers queue up and do not deadlock."""
    if not contact_ids:
        return {}
    rows = Contact.objects.alive().filter(pk__in=contact_ids).order_by("pk")
    if lock:
        rows = rows.select_for_update()
    values = list(rows.values(*COLUMNS))
    companies = companies_by_id({row["company_id"] for row in values if row["company_id"]})
    found = {row["id"]: ContactFacts(row, companies.get(row["company_id"])) for row in values}
    emails = ContactEmail.objects.filter(contact_id__in=found).order_by("-is_primary", "id")
    for pk, key, address, label, is_primary in emails.values_list(
        "contact_id", "email_key", "address", "label", "is_primary"
    ):
        found[pk].emails[key] = {"address": address, "label": label, "is_primary": is_primary}
    tags = Tag.objects.filter(contacts__in=list(found)).order_by("name_key")
    for pk, key, name in tags.values_list("contacts__pk", "name_key", "name"):
        if pk in found:
            found[pk].tags[key] = name
    return found


def companies_by_id(ids: set[int]) -> dict[int, CompanyFacts]:
    rows = Company.objects.filter(pk__in=ids).values_list("pk", "uid", "name", "name_key") if ids else ()
    return {row[0]: CompanyFacts(*row) for row in rows}


def companies_by_key(keys: Iterable[str]) -> dict[str, CompanyFacts]:
    """The oldest company of each name."""
    rows = lookup(
        "SELECT id, uid, name, name_key FROM crm_company"
        " WHERE deleted_at IS NULL AND account_id = %s AND name_key",
        keys,
    )
    return {
        row[3]: CompanyFacts(row[0], as_uuid(row[1]), row[2], row[3]) for row in sorted(rows, reverse=True)
    }


def as_uuid(value: UUID | str) -> UUID:
    """SQLite keeps text."""
    return value if isinstance(value, UUID) else UUID(value)
