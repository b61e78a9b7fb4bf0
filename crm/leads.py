"""Leads: created, changed, assigned, deleted softly and restored, under the rules that every door shares."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from crm import reminders
from crm.addresses import holder
from crm.contacts import create_contact
from crm.descriptions import lead_fields, person_in
from crm.fields import check_custom_fields, merged
from crm.importing.values import email_key
from crm.models import Contact, Field, Lead
from crm.pipelines import check_step, first_step
from crm.tags import tags_named
from pipelime.accounts.models import Account, User
from pipelime.accounts.notices import send_notice
from pipelime.changing import assign, check_belongs, check_person, checked, gone, only_known, remember, reread
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record
from pipelime.search import documents

FACTS = (
    "title", "description", "probability", "currency", "status", "starred", "remind_date", "remind_time",
    "reminder_duration", "reminder_note", "estimated_closing_date", "created_at",
)  # fmt: skip
CHANGEABLE = (*FACTS, "amount", "step", "owner", "contact", "client_folder", "tags", "custom_fields")
# What nobody may change while a lead is nobody's.
OWNERS_ONLY = ("status", "step", "starred", "amount", "probability")
WITH_STATUS = ("status", "closed_at", *reminders.FIELDS)


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
    if "contact" not in values and (contact := contact_in(account, values.get("description", ""), by=by)):
        values["contact"] = contact
    follow(lead, values, account)
    for name, value in values.items():
        setattr(lead, name, value)
    lead.created_by = by if isinstance(by, User) and by.account_id == account.pk else None
    lead.save()
    tags = tags_named(account, facts.get("tags"), by=by)
    if tags:
        lead.tags.set(tags)
    remember(lead, tags=tags)
    tell(lead, {"lead.created": {}}, by=by)
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
    if "description" in values and "contact" not in values:
        follow_description(lead, values, account, by=by)
    follow(lead, values, account)
    changed = assign(lead, values)
    columns = list(changed)
    if "tags" in changes:
        changed |= set_tags(lead, changes["tags"], account, by=by)
    if changed:
        lead.touch(*columns)
        tell(lead, by_event(changed), by=by)
        if "owner" in changed:
            notify_owner(lead, by=by)
    return lead


def assign_lead(lead: Lead, user: User | None, *, by) -> Lead:
    """Give the lead to somebody, or to nobody."""
    return update_lead(lead, by=by, owner=user)


@transaction.atomic
def delete_lead(lead: Lead, *, by) -> None:
    """Softly: `restore_lead` brings it back as it was."""
    reread(lead)
    lead.deleted_at = timezone.now()
    lead.touch("deleted_at")
    documents.remove("lead", [lead.pk])
    record("lead.deleted", lead, by=by)


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
        tell(lead, {"lead.restored": {}}, by=by)
    return lead


def lead_values(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    """The columns of a lead from what a caller gave, each checked by itself."""
    only_known("a lead", given, CHANGEABLE)
    given = {name: value for name, value in given.items() if value is not None or name not in NEVER_NULL}
    values = checked(Lead, {name: given[name] for name in FACTS if name in given})
    check_moment(values.get("created_at"))
    if "currency" in values:
        values["currency"] = clean_currency(values["currency"], account)
    if "amount" in given:
        values["amount"] = clean_amount(given["amount"])
    if values.get("probability") is not None and values["probability"] > 100:
        raise Invalid(f"probability: {values['probability']} is over 100 percent", field="probability")
    reminders.check_time(values.get("remind_time"))
    reminders.check_duration(values.get("reminder_duration"))
    for name in ("step", "owner", "contact", "client_folder"):
        if name in given:
            CHECKS[name](given[name], account.pk)
            values[name] = given[name]
    if "custom_fields" in given:
        values["custom_fields"] = check_custom_fields(account, "lead", given["custom_fields"])
    return values


# None means "leave it" where a column cannot be empty.
NEVER_NULL = ("step", "status", "starred", "created_at")
CHECKS: dict[str, Callable[[Any, int], Any]] = {
    "step": check_step,
    "owner": lambda user, account_id: check_person(user, account_id, field="owner"),
    "contact": lambda contact, account_id: check_belongs(contact, account_id, field="contact"),
    "client_folder": lambda company, account_id: check_belongs(company, account_id, field="client_folder"),
}


def check_moment(moment: datetime | None) -> None:
    if moment is not None and moment.tzinfo is None:
        raise Invalid("created_at needs a time zone, such as 2030-01-31T09:00:00Z", field="created_at")


def clean_currency(text: str, account: Account) -> str:
    code = text.upper() or account.currency
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise Invalid(f"currency: {text!r} is no code of three letters, such as EUR", field="currency")
    return code


def clean_amount(value: Any) -> Decimal | None:
    """In hundredths. A float is taken as it is written, not as it is stored."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        amount = Decimal(str(value).strip()).quantize(Decimal("0.01"), ROUND_HALF_UP)
    except InvalidOperation:
        raise Invalid(f"amount: {value!r} is no amount; write one such as 1250.50", field="amount") from None
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 12:
        raise Invalid(
            f"amount: {value!r} is too large; at most twelve digits before the point", field="amount"
        )
    return amount


def refuse_unassigned(lead: Lead, values: dict[str, Any]) -> None:
    if lead.owner_id is not None or values.get("owner") is not None:
        return
    for name in OWNERS_ONLY:
        if name in values and values[name] != getattr(lead, name):
            raise Invalid(
                f"{name} cannot change while the lead is nobody's; assign the lead to somebody first",
                field=name,
            )


def follow(lead: Lead, values: dict[str, Any], account: Account) -> None:
    """Add what follows from the new values, and refuse what does not fit together."""

    def after(name: str) -> Any:
        return values[name] if name in values else getattr(lead, name)

    if "status" in values and (values["status"] != lead.status or lead.pk is None):
        values["closed_at"] = timezone.now() if values["status"] in Lead.CLOSED else None
        if values["status"] != Lead.Status.STANDBY and values.get("remind_date") is None:
            values.update(reminders.NONE)
    if after("amount") is None and "probability" not in values:
        values["probability"] = None
    if after("amount") is None and after("probability") is not None:
        raise Invalid(
            "A probability cannot be set without an amount; set the amount, too", field="probability"
        )
    reminders.follow(values, after, account.zone)


def contact_in(account: Account, description: str, *, by) -> Contact | None:
    """Whoever the description names by an e-mail address: found, or made."""
    person = person_in(description)
    if not person:
        return None
    if known := holder([email_key(person["email"])]):
        return known
    try:
        return create_contact(account, by=by, **person)
    except Conflict as conflict:  # somebody else made the same contact at this moment
        return Contact.objects.filter(uid=conflict.existing).first() if conflict.existing else None


def follow_description(lead: Lead, values: dict[str, Any], account: Account, *, by) -> None:
    """Another address in the description means another contact; a contact chosen by hand stays."""
    fields = lead_fields()
    old, new = (key_in(text, fields) for text in (lead.description, values["description"]))
    if new and new != old:
        values["contact"] = contact_in(account, values["description"], by=by)
    elif old and not new and lead.contact and lead.contact.emails.filter(email_key=old).exists():
        values["contact"] = None


def key_in(description: str, fields: list[Field]) -> str | None:
    person = person_in(description, fields)
    return email_key(person["email"]) if person else None


def set_tags(lead: Lead, names, account: Account, *, by) -> dict[str, list]:
    before = sorted((tag.name for tag in lead.tags.all()), key=str.casefold)
    tags = tags_named(account, names, by=by)
    after = sorted((tag.name for tag in tags), key=str.casefold)
    if before == after:
        return {}
    lead.tags.set(tags)
    return {"tags": [before, after]}


def by_event(changed: dict[str, list]) -> dict[str, dict[str, list]]:
    """Share changes out: a step, a status and an owner have events of their own."""
    facts: dict[str, dict[str, list]] = {}
    for name, change in changed.items():
        event = "lead.updated"
        if name == "step":
            event = "lead.step_changed"
        elif name == "owner":
            event = "lead.assigned"
        elif name in WITH_STATUS and "status" in changed:
            event = "lead.status_changed"
        facts.setdefault(event, {})[name] = change
    return facts


def tell(lead: Lead, facts: dict[str, dict[str, list]], *, by) -> None:
    """Index once, and record each event with the lead as it is after all of them."""
    prefetch_related_objects([lead], "tags")
    documents.index(lead, is_new="lead.created" in facts)
    snapshot = lead.snapshot()
    for name, changes in facts.items():
        data: dict[str, Any] = {"object": snapshot}
        record(name, lead, by=by, **(data | {"changes": changes} if changes else data))


def notify_owner(lead: Lead, *, by) -> None:
    """Who assigns to themselves needs no mail."""
    owner = lead.owner
    if owner is None or owner == by or not owner.wants_assignment_mail:
        return
    giver = by.actor[1] if by is not None else "Pipelime"
    text = f"{giver} assigned the lead “{lead.title}” to you.\n\n{settings.PIPELIME_URL}/leads/{lead.pk}\n"
    send_notice(lead.account, owner.email, f"Lead assigned: {lead.title}", text)
