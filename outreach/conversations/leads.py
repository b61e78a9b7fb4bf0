"""A conversation becomes a lead: with its person, what was said, and the one who asked for it as owner."""

from __future__ import annotations

from django.db import transaction

from crm.addresses import holder
from crm.comments import create_comment
from crm.contacts import create_contact
from crm.descriptions import lead_fields, render
from crm.importing.values import split_full_name
from crm.leads import create_lead
from crm.models import Contact, Field, Lead, Pipeline, Step
from crm.pipelines import first_step
from outreach.conversations.telling import timeline
from outreach.models import Conversation
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import User
from pipelime.changing import check_belongs, reread
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record

TOLD = 30  # entries of the conversation that the lead's first comment repeats
LONGEST = 50_000  # characters of it
Meaning = Field.Meaning
NAMES = {
    Meaning.FIRST_NAME: "Firstname",
    Meaning.LAST_NAME: "Lastname",
    Meaning.EMAIL: "Email",
    Meaning.PHONE: "Phone",
    Meaning.JOB: "Job",
}


@transaction.atomic
def make_lead(conversation: Conversation, *, by, pipeline: Pipeline | None = None) -> Lead:
    """A lead where the pipeline, or the default one, begins. Asking again gives the same lead, unless it was
    deleted since."""
    known = reread(conversation).lead
    if known is not None and known.deleted_at is None:
        return known
    contact = contact_of(conversation, by=by)
    lead = create_lead(
        conversation.account,
        by=by,
        created_from="inbox",
        title=title_of(conversation),
        step=beginning(conversation, pipeline),
        owner=owner_of(conversation, by),
        description=description_of(conversation, contact),
        contact=contact,
    )
    if said := words_so_far(conversation):
        create_comment(lead, by=by, content=said)
    conversation.lead, conversation.contact = lead, contact
    conversation.save(update_fields=["lead", "contact", "updated_at"])
    changes = {"lead": [None, {"id": str(lead.uid), "number": lead.pk, "name": lead.title}]}
    record("conversation.updated", conversation, by=by, changes=changes)
    return lead


def beginning(conversation: Conversation, pipeline: Pipeline | None) -> Step:
    check_belongs(pipeline, conversation.account_id, field="pipeline_id")
    if pipeline is None:
        return first_step(conversation.account)
    step = pipeline.steps.order_by("position", "pk").first()
    if step is None:
        raise Invalid(f"The pipeline {pipeline.name} has no steps; add one first", field="pipeline_id")
    return step


def owner_of(conversation: Conversation, by) -> User | None:
    """Who asks for it; of what a program asks for, whoever the conversation is assigned to."""
    assignee = conversation.assignee if conversation.assignee and conversation.assignee.is_active else None
    return person_acting(by, conversation.account_id) or assignee


def contact_of(conversation: Conversation, *, by) -> Contact:
    """Whom we know, by their address or their profile; somebody unknown is made."""
    if conversation.contact is not None and conversation.contact.deleted_at is None:
        return conversation.contact
    named = "" if "@" in conversation.name else conversation.name
    first_name, last_name = split_full_name(named)
    facts = {"first_name": first_name[:250], "last_name": last_name[:250], **identity_of(conversation)}
    if known := known_contact(conversation):
        return known
    try:
        return create_contact(conversation.account, by=by, **facts)
    except Conflict as conflict:  # somebody else made the same contact at this moment
        known = Contact.objects.filter(uid=conflict.existing).first() if conflict.existing else None
        if known is None:
            raise
        return known


def identity_of(conversation: Conversation) -> dict[str, str]:
    column = "email" if conversation.mailbox_id is not None else "linkedin_url"
    return {column: conversation.counterpart}


def known_contact(conversation: Conversation) -> Contact | None:
    if conversation.mailbox_id is not None:
        return holder([conversation.counterpart])
    return Contact.objects.alive().filter(linkedin_url=conversation.counterpart).order_by("pk").first()


def title_of(conversation: Conversation) -> str:
    about = f": {conversation.subject}" if conversation.subject else ""
    return " ".join(f"{conversation}{about}".split())[: Lead._meta.get_field("title").max_length]


def description_of(conversation: Conversation, contact: Contact) -> str:
    """`Field: value` lines under the account's own names of fields, as leads are read."""
    own = {field.meaning: field.name for field in reversed(lead_fields()) if field.meaning in NAMES}
    by_mail = conversation.mailbox_id is not None
    said = {
        Meaning.FIRST_NAME: contact.first_name,
        Meaning.LAST_NAME: contact.last_name,
        Meaning.EMAIL: conversation.counterpart if by_mail else contact.email,
        Meaning.PHONE: contact.phone,
        Meaning.JOB: contact.job_title,
    }
    lines = [((NAMES | own)[meaning], value) for meaning, value in said.items() if value]
    return render(lines if by_mail else [*lines, ("LinkedIn", conversation.counterpart)])


def words_so_far(conversation: Conversation) -> str:
    """The last of what was said, the oldest first."""
    entries = [entry for entry in timeline(conversation, limit=TOLD) if entry.text]
    told = [f"{entry.at:%Y-%m-%d %H:%M} {entry.who}:\n{entry.text.strip()}" for entry in entries]
    return "\n\n".join(told)[-LONGEST:]
