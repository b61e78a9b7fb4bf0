"""Mail from a template to one lead: written at once, sent from its owner's mailbox through the ledger.

What it says is settled here and frozen into the message, so that the person who asked for it knows what
goes out. It is personal mail: no footer is put below it and no campaign's windows hold it; the mailbox's
daily limit counts it, and nobody who must not be written to is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.descriptions import lead_fields
from crm.models import Field, Lead
from outreach.blocking import blocked, suppressed
from outreach.bodies import Body, Draft
from outreach.composing import HeaderUnsafe, addr_spec, compose, message_id
from outreach.letters import draft_of, frozen
from outreach.models import EmailAccount, EmailTemplate, Message
from outreach.template_data import address_of, data_of, mailbox_of, person_data
from outreach.templating import TemplateInvalid, VariableMissing, variables
from outreach.unsubscribing import unsubscribe_url
from pipelime.accounts import editions
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import User
from pipelime.doorbell import ring
from pipelime.errors import Invalid, NotAllowed, Suspended
from pipelime.events.recording import record

STAND_IN = "…"  # for a missing value, so that the next one is found too
MOST_NAMED = 20


@transaction.atomic
def send_template(template: EmailTemplate, lead: Lead, *, by: User | None) -> Message:
    """Queue it. Refused, and nothing is sent, when the lead does not say all that the template asks for."""
    refuse(template, lead, by)
    message = written(template, lead)
    message.created_by = person_acting(by, lead.account_id)
    message.save()
    record("message.queued", message, by=by)
    ring("outreach.tasks.send_due")
    return message


def preview_template(template: EmailTemplate, lead: Lead) -> dict[str, Any]:
    """The mail as the lead would get it; `problems` says why it could not be sent."""
    try:
        message = written(template, lead)
    except Invalid as refusal:
        return {"subject": None, "text": None, "html": None, "from": None, "to": None,
                "problems": [str(refusal)]}  # fmt: skip
    said = message.frozen or {}
    return {
        **{name: said[name] for name in ("subject", "text", "html")},
        "from": message.from_address,
        "to": message.to_address,
        "problems": [],
    }


def refuse(template: EmailTemplate, lead: Lead, by: User | None) -> None:
    person = by if isinstance(by, User) else None
    if not EmailTemplate.objects.usable_by(person).filter(pk=template.pk).exists():
        raise NotAllowed(f"The template {template.name} is not shared with you")
    editions.require(lead.account, editions.Feature.TEMPLATE_MAIL)
    if lead.account.is_suspended:
        raise Suspended("This account is suspended; nothing is sent")


def written(template: EmailTemplate, lead: Lead) -> Message:
    """The message, not stored yet; Invalid says what is missing for it."""
    fields = lead_fields()
    mailbox = sender_of(lead)
    message = addressed(template, lead, mailbox, fields)
    draft = draft_of(template.subject, template.body)
    body = fill(draft, data_of(lead, message.to_address, mailbox, unsubscribe_url(message), fields))
    if not body.subject:
        raise Invalid("The subject is empty for this lead", field="subject", rule="variables_missing")
    message.subject = body.subject[:998]
    message.frozen = {
        "subject": body.subject,
        "text": body.text,
        "html": body.html,
        "can_leave": "unsubscribe_url" in variables(template.body),
    }
    check_letter(message)
    return message


def sender_of(lead: Lead) -> EmailAccount:
    if lead.owner is None:
        raise Invalid(
            "The lead is unassigned, so nobody can be its sender: assign it first",
            rule="unassigned",
        )
    mailbox = mailbox_of(lead.owner)
    if mailbox is None:
        raise Invalid(
            f"{lead.owner.name} has no mailbox to send from: connect one under Mailboxes and make"
            f" {lead.owner.name} its owner",
            rule="mailbox_missing",
        )
    if mailbox.paused_at is not None:
        raise Invalid(
            f"The mailbox {mailbox.email} of {lead.owner.name} is paused ({mailbox.pause_reason}): resume it",
            rule="mailbox_missing",
        )
    return mailbox


def addressed(template: EmailTemplate, lead: Lead, mailbox: EmailAccount, fields: Sequence[Field]) -> Message:
    address = reachable(lead, fields)
    person = person_data(lead, address, fields)
    name = f"{person.get('first_name', '')} {person.get('last_name', '')}".strip()
    message = Message(
        account_id=lead.account_id,
        lead=lead,
        mailbox=mailbox,
        contact_uid=lead.contact.uid if lead.contact else None,
        template_name=template.name,
        step_number=0,
        to_address=address,
        to_name=" ".join(name.split())[:510],
        from_address=mailbox.email,
        followed_up=True,  # no step comes after it
    )
    message.message_id = message_id(message.uid, mailbox.email.rpartition("@")[2])
    return message


def reachable(lead: Lead, fields: Sequence[Field]) -> str:
    """The lead's address, if it has one that may be written to."""
    address = address_of(lead, fields)
    if address is None:
        raise Invalid(
            "The lead has no e-mail address: write one into its description, such as Email: name@example.com",
            rule="address_missing",
        )
    try:
        addr_spec(address)
    except HeaderUnsafe as error:
        raise Invalid(str(error), rule="address_missing") from None
    if address in suppressed([address]):
        cause = suppressed([address])[address]
        raise Invalid(f"{address} has {cause}; it is not written to again", rule="barred")
    if covering := blocked([address]).get(address):
        raise Invalid(f"{covering} is on the blocklist; nothing is sent to {address}", rule="barred")
    return address


def fill(draft: Draft, data: dict[str, Any]) -> Body:
    """What the template says of this lead; everything that it lacks is named at once."""
    missing: list[str] = []
    while True:
        try:
            body = draft.fill(data)
            break
        except VariableMissing as error:
            if error.name in missing or len(missing) == MOST_NAMED:
                break
            missing.append(error.name)
            data = with_stand_in(data, error.name.split("."))
        except TemplateInvalid as error:
            if missing:  # a stand-in is no number
                break
            raise Invalid(str(error), field="template", rule="template_invalid") from None
    if missing:
        raise Invalid(
            f"The lead does not say {' and '.join(missing)}: fill it in, or give the template a fallback such"
            f' as {{{{ {missing[0]} | default: "…" }}}}',
            field="template",
            rule="variables_missing",
        )
    return body


def with_stand_in(data: dict[str, Any], path: list[str]) -> dict[str, Any]:
    name, *rest = path
    inner = data.get(name)
    return data | {name: with_stand_in(inner if isinstance(inner, dict) else {}, rest) if rest else STAND_IN}


def check_letter(message: Message) -> None:
    """A letter that cannot be written is refused now, and not found out by a worker."""
    try:
        compose(frozen(message, timezone.now())[1])
    except HeaderUnsafe as error:
        raise Invalid(str(error), field="template", rule="template_invalid") from None
