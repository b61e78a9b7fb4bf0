"""The rows of a chunk of contacts with everything that belongs to them, written in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models.base import ModelState

from crm.importing.known import CompanyFacts, ContactFacts, companies_by_key
from crm.importing.people import TEXTS
from crm.models import Company, Contact, ContactEmail, ImportJob, Tag
from crm.tags import tags_named
from pipelime import locks
from pipelime.bulk import in_chunks, insert_rows, json_text, take_ids
from pipelime.events.models import Event
from pipelime.events.recording import write
from pipelime.ids import uuid7s
from pipelime.ledger import as_parameter
from pipelime.search import documents

CONTACT_COLUMNS = (
    *TEXTS, "id", "uid", "company_id", "custom_fields", "version", "status", "owner_id", "created_at",
    "updated_at", "account_id",
)  # fmt: skip
EMAIL_COLUMNS = ("uid", "account_id", "contact_id", "address", "email_key", "label", "is_primary", "id")
COMPANY_COLUMNS = (
    "id", "uid", "account_id", "name", "name_key", "domain", "description", "is_client", "is_active",
    "custom_fields", "version", "created_at", "updated_at",
)  # fmt: skip
UPDATED_COLUMNS = (*TEXTS, "company_id", "custom_fields", "version", "updated_at")
TAGS_AT_ONCE = 100


class Facts:
    """The events of one chunk: gathered, then written at once."""

    def __init__(self, job: ImportJob, now: datetime) -> None:
        self.job, self.account_id, self.now = job, job.account_id, now
        self.actor_id, self.actor_name = job.actor
        self.events: list[Event] = []

    def add(self, name: str, kind: str, subject_id: int, uid: Any, data: dict[str, Any]) -> None:
        self.events.append(
            quick_event(
                account_id=self.account_id, name=name, at=self.now, actor_id=self.actor_id,
                actor_name=self.actor_name, subject_type=kind, subject_id=subject_id, subject_uid=uid,
                parent_type="", parent_id=None, data=data,
            )
        )  # fmt: skip

    def record(self) -> None:
        for event, uid in zip(self.events, uuid7s(len(self.events)), strict=True):
            event.uid = uid
        write(self.events)
        self.events = []


def quick_event(**values: Any) -> Event:
    """An Event as its constructor would make it, which costs as much as everything else about a record."""
    event = Event.__new__(Event)
    event._state = ModelState()
    event.__dict__ |= values
    event.id, event.transaction = None, None
    return event


def make_companies(facts: Facts, names: dict[str, str]) -> tuple[dict[str, CompanyFacts], set[str]]:
    """Companies by key, and the keys of those that had to be made."""
    found = companies_by_key(set(names))
    missing = sorted(names.keys() - found.keys())
    if not missing:
        return found, set()
    # No constraint keeps names apart: whoever else makes these waits here, and so have we.
    locks.hold_all([("company", facts.account_id, key) for key in missing])
    found |= companies_by_key(set(missing))
    missing = [key for key in missing if key not in found]
    made = [
        CompanyFacts(pk, uid, " ".join(names[key].split()), key)
        for key, pk, uid in zip(missing, take_ids(Company, len(missing)), uuid7s(len(missing)), strict=True)
    ]
    insert_companies(facts, made)
    return found | {company.key: company for company in made}, set(missing)


def insert_companies(facts: Facts, companies: list[CompanyFacts]) -> None:
    now, moment = facts.now, facts.now.isoformat()
    insert_rows(
        Company,
        COMPANY_COLUMNS,
        [
            (row.id, row.uid, facts.account_id, row.name, row.key, "", "", False, True, {}, 1, now, now)
            for row in companies
        ],
    )
    for row in companies:
        snapshot = {
            **row.facts(), "domain": "", "description": "", "is_client": False, "is_active": True,
            "owner_id": None, "created_at": moment, "updated_at": moment,
        }  # fmt: skip
        facts.add("company.created", "company", row.id, row.uid, {"object": snapshot})
    documents.add("company", facts.account_id, [(row.id, f"{row.name} ") for row in companies])


def make_tags(facts: Facts, names: dict[str, str]) -> tuple[dict[str, tuple[int, str]], set[str]]:
    """(id, name) of the tags by key, and the keys of those that had to be made."""
    if not names:
        return {}, set()
    found = tags_by_key(names)
    missing = {key: name for key, name in names.items() if key not in found}
    for part in in_chunks(sorted(missing), TAGS_AT_ONCE):
        tags_named(facts.job.account, [missing[key] for key in part], by=facts.job)
    return (found | tags_by_key(missing) if missing else found), set(missing)


def tags_by_key(keys: dict[str, str]) -> dict[str, tuple[int, str]]:
    rows = Tag.objects.filter(name_key__in=list(keys)).values_list("name_key", "pk", "name")
    return {key: (pk, name) for key, pk, name in rows}


def insert_contacts(facts: Facts, contacts: list[ContactFacts], tags: dict[str, tuple[int, str]]) -> None:
    if not contacts:
        return
    for row, pk, uid in zip(contacts, take_ids(Contact, len(contacts)), uuid7s(len(contacts)), strict=True):
        row.values |= {"id": pk, "uid": uid, "account_id": facts.account_id}
    insert_rows(
        Contact, CONTACT_COLUMNS, [[row.values[name] for name in CONTACT_COLUMNS] for row in contacts]
    )
    insert_emails(
        facts, [(row.values["id"], key, email) for row in contacts for key, email in row.emails.items()]
    )
    attach(tags, [(row.values["id"], key) for row in contacts for key in row.tags])
    for row in contacts:
        row.tags = {key: tags[key][1] for key in row.tags}
        facts.add(
            "contact.created", "contact", row.values["id"], row.values["uid"], {"object": row.snapshot()}
        )
    documents.add("contact", facts.account_id, [(row.values["id"], row.search_text()) for row in contacts])


def insert_emails(facts: Facts, emails: list[tuple[int, str, dict[str, Any]]]) -> None:
    """In the order of keys, so that two writers who share addresses queue up and do not deadlock."""
    rows = [
        (uid, facts.account_id, contact_id, email["address"], key, email["label"], email["is_primary"], pk)
        for (contact_id, key, email), pk, uid in zip(
            emails, take_ids(ContactEmail, len(emails)), uuid7s(len(emails)), strict=True
        )
    ]
    insert_rows(ContactEmail, EMAIL_COLUMNS, sorted(rows, key=lambda row: row[4]))


def attach(tags: dict[str, tuple[int, str]], pairs: list[tuple[int, str]]) -> None:
    insert_rows(
        Contact.tags.through,
        ("contact_id", "tag_id"),
        [(contact_id, tags[key][0]) for contact_id, key in pairs],
    )


def update_contacts(
    facts: Facts, changed: Sequence[tuple[ContactFacts, dict[str, list]]], tags: dict[str, tuple[int, str]]
) -> None:
    if not changed:
        return
    emails, pairs = [], []
    for contact, changes in changed:
        pk = contact.values["id"]
        if "emails" in changes:
            known = {email["address"] for email in changes["emails"][0]}
            emails += [
                (pk, key, email) for key, email in contact.emails.items() if email["address"] not in known
            ]
        if "tags" in changes:
            had = set(changes["tags"][0])
            new = [key for key, name in contact.tags.items() if name not in had]
            pairs += [(pk, key) for key in new]
            contact.tags |= {key: tags[key][1] for key in new}
            changes["tags"][1] = sorted(contact.tags.values(), key=str.casefold)
    insert_emails(facts, emails)
    attach(tags, pairs)
    overwrite([contact.values for contact, _ in changed])
    tell_updated(facts, changed)


def overwrite(rows: list[dict[str, Any]]) -> None:
    """One prepared statement for all: both drivers send such a batch in one go."""
    json_mark = "%s::jsonb" if connection.vendor == "postgresql" else "%s"
    marks = [f"{name} = {json_mark if name == 'custom_fields' else '%s'}" for name in UPDATED_COLUMNS]
    values = [
        [*(parameter(name, row[name]) for name in UPDATED_COLUMNS), row["id"]]
        for row in rows
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {Contact._meta.db_table} SET {', '.join(marks)} WHERE id = %s",  # noqa: S608
            values,
        )


def parameter(name: str, value: Any) -> Any:
    if name == "custom_fields":
        return json_text(value)
    return as_parameter(value) if name == "updated_at" else value


def tell_updated(facts: Facts, changed: Sequence[tuple[ContactFacts, dict[str, list]]]) -> None:
    for row, changes in changed:
        data = {"object": row.snapshot(), "changes": changes}
        facts.add("contact.updated", "contact", row.values["id"], row.values["uid"], data)
    texts = [(row.values["id"], row.search_text()) for row, _ in changed]
    documents.store("contact", facts.account_id, texts)
