"""Leads: created, changed, assigned, copied, deleted softly and restored, alike through every door."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F, prefetch_related_objects
from django.utils import timezone

from crm.descriptions import has_lines, lead_fields
from crm.fields import merged
from crm.lead_contacts import contact_in, follow_description
from crm.lead_keys import index_lead
from crm.lead_values import follow, lead_values, refuse_unassigned
from crm.models import Field, Lead, Step
from crm.pipelines import first_step
from crm.reminders import FIELDS as REMINDER
from crm.tags import names_of, set_tags, tags_named
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account, User
from pipelime.accounts.notices import tell_owner
from pipelime.bulk import in_chunks
from pipelime.changing import assign, checked, gone, remember, reread
from pipelime.events.recording import record, record_all, record_changes
from pipelime.search import documents

CHUNK = 1000
# The event that tells of a field's change, where it is not lead.updated.
EVENTS = {
    "step": "lead.step_changed",
    "status": "lead.status_changed",
    "closed_at": "lead.status_changed",
    "owner": "lead.assigned",
    "amount": "lead.amount_changed",
    "probability": "lead.amount_changed",
    "currency": "lead.amount_changed",
    "client_folder": "lead.client_changed",
    "description": "lead.description_changed",
}
# Fields that follow from another's change belong to its event.
FOLLOWING = dict.fromkeys(REMINDER, "status") | {"contact": "description"}
# What the keys of a lead are derived from, and what its words are.
KEYED = {"description", "custom_fields"}
SEARCHED = KEYED | {"title", "client_folder"}


@transaction.atomic
def create_lead(account: Account, *, by, created_from: str = "api", **facts: Any) -> Lead:
    """A lead in `step`, or where the default pipeline begins. The e-mail address that its description
    names links it to the contact of that address, who is made when unknown."""
    values = lead_values(account, {"title": "", **facts})
    lead = Lead(account=account, currency=account.currency, **checked(Lead, {"created_from": created_from}))
    if values.get("step") is None:
        values["step"] = first_step(account)
    values = {name: value for name, value in values.items() if value is not None}
    values["custom_fields"] = merged({}, values.get("custom_fields", {}))
    fields = fields_for(values)
    if "contact" not in values and fields:
        values["contact"] = contact_in(account, values.get("description", ""), fields, by=by)
    follow(lead, values, account)
    for name, value in values.items():
        setattr(lead, name, value)
    lead.created_by = person_acting(by, account.pk)
    lead.save()
    tags = tags_named(account, facts.get("tags"), by=by)
    if tags:
        lead.tags.set(tags)
    remember(lead, tags=tags)
    index_lead(lead, fields, is_new=True)
    documents.index(lead, is_new=True)
    record("lead.created", lead, by=by)
    return lead


@transaction.atomic
def update_lead(lead: Lead, *, by, **changes: Any) -> Lead:
    """Only what is given changes. A new owner is mailed; `custom_fields` are laid over the stored ones."""
    account = lead.account
    values = lead_values(account, changes)
    reread(lead)
    if "custom_fields" in values:
        values["custom_fields"] = merged(lead.custom_fields, values["custom_fields"])
    refuse_unassigned(lead, values)
    fields = lead_fields() if values.get("description", lead.description) != lead.description else None
    if fields is not None and "contact" not in values:
        follow_description(lead, values, fields, by=by)
    follow(lead, values, account)
    changed = assign(lead, values)
    columns = list(changed)
    if "tags" in changes:
        changed |= set_tags(lead, changes["tags"], by=by)
    if changed:
        lead.touch(*columns)
        index(lead, set(changed), fields)
        tell(lead, changed, by=by)
        if "owner" in changed:
            notify_owner(lead, by=by)
    return lead


def assign_lead(lead: Lead, user: User | None, *, by) -> Lead:
    """Give the lead to somebody, or to nobody."""
    return update_lead(lead, by=by, owner=user)


@transaction.atomic
def duplicate_lead(lead: Lead, *, by, step: Step | None = None) -> Lead:
    """A new lead that says the same, to be done, in `step` or where the original is."""
    reread(lead)
    defined = {field.key for field in lead_fields()}
    return create_lead(
        lead.account,
        by=by,
        title=lead.title,
        description=lead.description,
        step=step or lead.step,
        owner=lead.owner if lead.owner and lead.owner.is_active else None,
        client_folder=lead.client_folder if is_there(lead.client_folder) else None,
        contact=lead.contact if is_there(lead.contact) else None,
        tags=names_of(lead.tags.all()),
        custom_fields={key: value for key, value in lead.custom_fields.items() if key in defined},
    )


@transaction.atomic
def delete_lead(lead: Lead, *, by) -> None:
    """Softly: `restore_lead` brings it back as it was."""
    reread(lead)
    lead.deleted_at = timezone.now()
    lead.touch("deleted_at")
    documents.remove("lead", [lead.pk])
    record("lead.deleted", lead, by=by)


@transaction.atomic
def delete_leads(leads: Iterable[Lead], *, by) -> None:
    """Many at once, as `delete_lead` does. Those that are gone already are left out."""
    for ids in in_chunks(sorted(lead.pk for lead in leads), CHUNK):
        rows = Lead.objects.alive().filter(pk__in=ids).order_by("pk").with_parts()
        found = list(rows.select_for_update(no_key=True, of=("self",)))
        now = timezone.now()
        for lead in found:
            lead.deleted_at, lead.updated_at, lead.version = now, now, lead.version + 1
        there = [lead.pk for lead in found]
        Lead.objects.filter(pk__in=there).update(deleted_at=now, updated_at=now, version=F("version") + 1)
        documents.remove("lead", there)
        record_all("lead.deleted", [(lead, {}) for lead in found], by=by)


@transaction.atomic
def restore_lead(lead: Lead, *, by) -> Lead:
    """Doing so to a lead that is not deleted does nothing."""
    found = Lead.objects.select_for_update().filter(pk=lead.pk)
    try:
        lead.refresh_from_db(from_queryset=found)
    except Lead.DoesNotExist:
        raise gone(lead) from None
    if lead.deleted_at is not None:
        lead.deleted_at = None
        lead.touch("deleted_at")
        documents.index(lead)
        record("lead.restored", lead, by=by)
    return lead


def fields_for(values: dict[str, Any]) -> list[Field]:
    """The definitions by which a new lead's texts are read, if there is anything to read."""
    text = values.get("description", "")
    return lead_fields() if has_lines(text) or values["custom_fields"] else []


def is_there(row: Any) -> bool:
    return row is not None and row.deleted_at is None


def index(lead: Lead, changed: set[str], fields: list[Field] | None) -> None:
    if changed & KEYED:
        index_lead(lead, fields)
    if changed & SEARCHED:
        documents.index(lead)


def tell(lead: Lead, changed: dict[str, list], *, by) -> None:
    prefetch_related_objects([lead], "tags")  # whoever shows the lead next needs them, too
    followed = {name: EVENTS[cause] for name, cause in FOLLOWING.items() if cause in changed}
    record_changes(lead, changed, by=by, events=EVENTS | followed, other="lead.updated")


def notify_owner(lead: Lead, *, by) -> None:
    tell_owner(lead, lead.owner, by=by, path="leads")
