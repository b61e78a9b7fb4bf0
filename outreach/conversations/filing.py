"""What comes and goes belongs to a conversation: found by our sender and the person, or made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.importing.values import email_key
from crm.models import Contact
from outreach import intents
from outreach.enrolments import set_intent
from outreach.models import Conversation, EmailAccount, Incoming, LinkedInAccount, Message
from pipelime.changing import reread
from pipelime.events.recording import record

PREVIEW = 100  # characters
FROM_PEOPLE = (Incoming.Kind.REPLY, Incoming.Kind.UNSUBSCRIBE)


def between(
    sender: EmailAccount | LinkedInAccount,
    counterpart: str,
    *,
    name: str = "",
    contact: Contact | None = None,
    at: datetime | None = None,
) -> Conversation:
    """The one conversation of a sender of ours with this person, made when they have not talked yet.

    `counterpart` is a key of an address, or a profile in its normal form. Somebody whom we know goes on in
    one conversation, whichever of their addresses they write from.
    """
    ours: dict[str, Any] = {column_of(sender): sender}
    known = Conversation.objects.filter(**ours, contact=contact).order_by("pk").first() if contact else None
    if known is not None:
        return known
    facts = {"account_id": sender.account_id, "contact": contact, "last_at": at or timezone.now()}
    facts["name"] = (contact.name if contact else name or counterpart)[:510]
    conversation, _ = Conversation.objects.get_or_create(
        **ours, counterpart=counterpart[:500], defaults=facts
    )
    return conversation


def column_of(sender: EmailAccount | LinkedInAccount) -> str:
    return "mailbox" if isinstance(sender, EmailAccount) else "linkedin_account"


@transaction.atomic
def file(incoming: Incoming) -> Conversation:
    """Put what came in where it belongs. A person's answer is unread, and opens what was closed.

    Doing so twice changes nothing. A machine's answer is shown in the thread and rings no bell; where it
    is all that was said, the conversation is closed until a person writes.
    """
    if incoming.conversation is not None:
        return incoming.conversation
    sender = incoming.mailbox or incoming.linkedin_account
    if sender is None:
        raise ValueError(f"incoming {incoming.pk} came to no mailbox and no LinkedIn account")
    counterpart = email_key(incoming.from_address) if incoming.mailbox else incoming.from_address
    conversation = reread(
        between(sender, counterpart, name=incoming.from_name, contact=incoming.contact, at=incoming.at)
    )
    incoming.conversation = conversation
    incoming.save(update_fields=["conversation"])
    if conversation.contact is None and incoming.contact is not None:
        conversation.contact, conversation.name = incoming.contact, incoming.contact.name[:510]
    if incoming.at >= conversation.last_at:
        show_last(conversation, incoming.text, incoming.subject, at=incoming.at, is_theirs=True)
    if incoming.kind in FROM_PEOPLE:
        wake(conversation, incoming)
    elif not conversation.incoming.exclude(pk=incoming.pk).exists():
        conversation.closed_at = incoming.at
    conversation.save()
    return conversation


def wake(conversation: Conversation, incoming: Incoming) -> None:
    """Somebody must look at it. What a person said of its intent stands; else this answer says it."""
    conversation.unread += 1
    if conversation.closed_at is not None:
        conversation.closed_at = None
        record("conversation.reopened", conversation, by=None)
    if not incoming.intent and (guessed := intents.guess(incoming.text)):
        incoming.intent = guessed
        incoming.save(update_fields=["intent"])
    if incoming.intent and not conversation.intent_by_hand:
        conversation.intent = incoming.intent
        if incoming.enrolment is not None:
            set_intent(incoming.enrolment, incoming.intent, by=None)


def show_last(conversation: Conversation, text: str, subject: str, *, at: datetime, is_theirs: bool) -> None:
    conversation.preview = " ".join(text[: 20 * PREVIEW].split())[:PREVIEW]
    conversation.subject = subject[:998] or conversation.subject
    conversation.last_at, conversation.last_is_theirs = at, is_theirs


@transaction.atomic
def note_sent(message: Message) -> Conversation | None:
    """Show what we wrote as the last words of its conversation.

    A message on LinkedIn begins one. A mail does not: a campaign's mails would fill the inbox with
    conversations in which nobody has said anything.
    """
    conversation = message.conversation or conversation_of(message)
    if conversation is None:
        return None
    reread(conversation)
    at = message.sent_at or timezone.now()
    if at >= conversation.last_at:
        text = message.text or (message.frozen or {}).get("text") or ""
        show_last(conversation, text, message.subject, at=at, is_theirs=False)
        conversation.save()
    return conversation


def conversation_of(message: Message) -> Conversation | None:
    contact = Contact.objects.filter(uid=message.contact_uid).first() if message.contact_uid else None
    if message.linkedin_account is None:
        person = Q(counterpart=email_key(message.to_address)) | (Q(contact=contact) if contact else Q())
        known = Conversation.objects.filter(person, mailbox__isnull=False, mailbox=message.mailbox)
        return known.order_by("pk").first()
    profile = message.profile_url or (contact.linkedin_url if contact else "")
    if not profile:
        return None
    facts = {"name": message.to_name, "contact": contact, "at": message.sent_at}
    return between(message.linkedin_account, profile, **facts)
