"""What becomes of the records of an import when it is undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db.models import F
from django.utils import timezone

from crm.companies import delete_company, update_company
from crm.importing.bulkrows import Facts, overwrite, tell_updated
from crm.importing.known import ContactFacts, companies_by_id, load
from crm.importing.unused import uses
from crm.importing.values import email_key
from crm.leads import delete_lead, update_lead
from crm.models import Company, Contact, ContactEmail, ImportJob, ImportRow, Lead, Step
from pipelime.errors import Invalid
from pipelime.search import documents

CREATED = ImportRow.Outcome.CREATED
REMOVED, RESTORED, KEPT = ImportRow.Outcome.REMOVED, ImportRow.Outcome.RESTORED, ImportRow.Outcome.KEPT
CHANGED_SINCE = "was changed since the import"


class Verdict(NamedTuple):
    outcome: str
    reason: str = ""
    uid: str = ""
    name: str = ""


Verdicts = list[tuple[ImportRow, Verdict]]


def revert_contacts(job: ImportJob, rows: list[ImportRow]) -> Verdicts:
    """Rows of one outcome: contacts that the import made, or that it changed."""
    contacts = load({row.object_id for row in rows}, lock=True)
    making = rows[0].outcome == CREATED
    used = uses(Contact, contacts) if making else {}
    verdicts: Verdicts = []
    turning: list[tuple[ImportRow, ContactFacts]] = []
    for row in rows:
        contact = contacts.get(row.object_id)
        if contact is None:
            verdicts.append((row, Verdict(REMOVED, "was deleted already")))
        elif contact.values["version"] != row.version:
            verdicts.append((row, kept(contact, CHANGED_SINCE)))
        elif reason := used.get(row.object_id):
            verdicts.append((row, kept(contact, reason)))
        else:
            turning.append((row, contact))
            verdicts.append((row, Verdict(REMOVED if making else RESTORED)))
    facts = Facts(job, timezone.now())
    if making:
        delete(facts, [contact for _, contact in turning])
    else:
        restore(facts, turning)
    facts.record()
    return verdicts


def kept(contact: ContactFacts, reason: str) -> Verdict:
    snapshot = contact.snapshot()
    return Verdict(KEPT, reason, snapshot["id"], snapshot["name"])


def delete(facts: Facts, contacts: list[ContactFacts]) -> None:
    """Softly, as people delete contacts: their addresses are free, their history stays."""
    ids = [contact.values["id"] for contact in contacts]
    now = facts.now
    Contact.objects.filter(pk__in=ids).update(deleted_at=now, updated_at=now, version=F("version") + 1)
    ContactEmail.objects.filter(contact_id__in=ids).update(email_key=None)
    documents.remove("contact", ids)
    for contact in contacts:
        contact.values["updated_at"] = now
        values = contact.values
        facts.add("contact.deleted", "contact", values["id"], values["uid"], {"object": contact.snapshot()})


def restore(facts: Facts, turning: list[tuple[ImportRow, ContactFacts]]) -> None:
    """The old values, without the addresses and tags that came with the import."""
    if not turning:
        return
    olds = [row.before["values"] for row, _ in turning]
    companies = companies_by_id({old["company_id"] for old in olds if old.get("company_id")})
    changed = []
    for (row, contact), old in zip(turning, olds, strict=True):
        changes = put_back(contact, old, companies)
        changes |= take_away(contact, row.before)
        contact.values["version"] += 1
        contact.values["updated_at"] = facts.now
        changed.append((contact, changes))
    overwrite([contact.values for contact, _ in changed])
    tell_updated(facts, changed)


def put_back(contact: ContactFacts, old: dict[str, Any], companies: dict[int, Any]) -> dict[str, list]:
    values, changes = contact.values, {}
    for name, value in old.items():
        if name == "company_id":
            company = companies.get(value)
            changes["company"] = [
                contact.company.facts() if contact.company else None, company.facts() if company else None
            ]  # fmt: skip
            contact.company, values["company_id"] = company, company.id if company else None
        else:
            changes[name] = [values[name], value]
            values[name] = value
    return changes


def take_away(contact: ContactFacts, before: dict[str, Any]) -> dict[str, list]:
    changes: dict[str, list] = {}
    contact_id = contact.values["id"]
    if keys := [email_key(address) for address in before.get("emails", ())]:
        old = list(contact.emails.values())
        ContactEmail.objects.filter(contact_id=contact_id, email_key__in=keys).delete()
        contact.emails = {key: email for key, email in contact.emails.items() if key not in keys}
        changes["emails"] = [old, list(contact.emails.values())]
        if not contact.emails:
            changes["email"] = [old[0]["address"], None]
    if ids := before.get("tags"):
        links = Contact.tags.through.objects.filter(contact_id=contact_id, tag_id__in=ids)
        gone = set(links.values_list("tag__name_key", flat=True))
        links.delete()
        names = sorted(contact.tags.values(), key=str.casefold)
        contact.tags = {key: name for key, name in contact.tags.items() if key not in gone}
        changes["tags"] = [names, sorted(contact.tags.values(), key=str.casefold)]
    return changes


class Verbs(NamedTuple):
    model: type[Company] | type[Lead]
    delete: Callable[..., Any]
    update: Callable[..., Any]


def revert_by(verbs: Verbs) -> Callable[[ImportJob, list[ImportRow]], Verdicts]:
    """Companies and leads go through their verbs, one by one, as they came."""

    def revert(job: ImportJob, rows: list[ImportRow]) -> Verdicts:
        ids = [row.object_id for row in rows]
        found = verbs.model.objects.alive().select_for_update().in_bulk(ids)
        used = uses(verbs.model, found) if rows[0].outcome == CREATED else {}
        return [(row, revert_row(verbs, job, row, found.get(row.object_id), used)) for row in rows]

    return revert


def revert_row(verbs: Verbs, job: ImportJob, row: ImportRow, record: Any, used: dict[int, str]) -> Verdict:
    if record is None:
        return Verdict(REMOVED, "was deleted already")
    reason = CHANGED_SINCE if record.version != row.version else used.get(record.pk)
    if reason:
        return Verdict(KEPT, reason, str(record.uid), str(record))
    if row.outcome == CREATED:
        verbs.delete(record, by=job)
        return Verdict(REMOVED)
    try:
        verbs.update(record, by=job, **old_facts(record, row.before["values"]))
    except Invalid as error:
        return Verdict(KEPT, str(error)[:500], str(record.uid), str(record))
    return Verdict(RESTORED)


RELATED = {"step": Step, "contact": Contact, "client_folder": Company}


def old_facts(record: Any, values: dict[str, Any]) -> dict[str, Any]:
    facts = dict(values)
    for name, model in RELATED.items():
        if facts.get(name) is not None:
            facts[name] = model.objects.filter(pk=facts[name]).first()
    if "custom_fields" in facts:
        facts["custom_fields"] = dict.fromkeys(record.custom_fields) | facts["custom_fields"]
    return facts


REVERTERS: dict[str, Callable[[ImportJob, list[ImportRow]], Verdicts]] = {
    "contacts": revert_contacts,
    "companies": revert_by(Verbs(Company, delete_company, update_company)),
    "leads": revert_by(Verbs(Lead, delete_lead, update_lead)),
}
