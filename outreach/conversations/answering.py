"""Answers written by people: mail in the thread through the ledger, or a message on LinkedIn."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crm.importing.values import email_key
from outreach.blocking import address_hashes
from outreach.composing import HeaderUnsafe, addr_spec, compose, message_id
from outreach.conversations.filing import note_sent
from outreach.letters import frozen
from outreach.linkedin.sending import send
from outreach.models import BlocklistEntry, Conversation, EmailAccount, Incoming, Message, Suppression
from pipelime.accounts.acting import person_acting
from pipelime.changing import check_text
from pipelime.doorbell import ring
from pipelime.errors import Invalid, Suspended
from pipelime.events.recording import record

LONGEST = 100_000  # characters of an answer
THREAD = 50  # Message-IDs that References names: where it began, and the last ones
SUBJECT = 900  # characters; a header's line takes no more
_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_ANSWERS = re.compile(r"(?:(?:re|aw|antw|sv|vs|ref|rif|odp)(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@transaction.atomic
def reply(conversation: Conversation, *, by, text: str, html: str = "") -> Message:
    """Answer whoever wrote last, now: no daily limit counts an answer and no campaign's hours hold it.

    Somebody who unsubscribed, bounced, complained or is blocked is not written to, unless they have written
    to us after that: an answer to one's own question is no mailing. Whoever answers has read it.
    """
    if conversation.account.is_suspended:
        raise Suspended("This account is suspended; nothing is sent")
    text = checked_text(text)
    if conversation.mailbox is not None:
        message = by_mail(conversation, conversation.mailbox, text, html, by=by)
    else:
        message = on_linkedin(conversation, text, by=by)
    note_sent(message)
    conversation.refresh_from_db()
    conversation.unread = 0
    conversation.save(update_fields=["unread", "updated_at"])
    return message


def checked_text(text: str) -> str:
    said = check_text(text, strip=False).strip()
    if not said:
        raise Invalid("text is blank; an answer says something", field="text")
    if len(said) > LONGEST:
        raise Invalid(f"text has {len(said):,} characters; at most {LONGEST:,} fit", field="text")
    return said


def destination(conversation: Conversation) -> str:
    """Where an answer would go, for people to see before they write one; Invalid says why it cannot."""
    if conversation.mailbox is None:
        return conversation.counterpart
    return addressee(conversation, conversation.mailbox, last_answer(conversation))


def by_mail(conversation: Conversation, mailbox: EmailAccount, text: str, html: str, *, by) -> Message:
    last = last_answer(conversation)
    address = addressee(conversation, mailbox, last)
    lead = conversation.lead if conversation.lead and conversation.lead.deleted_at is None else None
    subject = answer_to((last.subject if last else "") or conversation.subject)
    message = Message(
        account_id=conversation.account_id,
        conversation=conversation,
        lead=lead,
        mailbox=mailbox,
        contact_uid=conversation.contact.uid if conversation.contact else None,
        step_number=0,
        to_address=address,
        to_name=one_line("" if "@" in conversation.name else conversation.name),
        from_address=mailbox.email,
        subject=subject,
        created_by=person_acting(by, conversation.account_id),
        followed_up=True,  # no step comes after it
        frozen={
            "subject": subject,
            "text": text,
            "html": html or None,
            "can_leave": False,
            "references": thread_of(last),
        },
    )
    message.message_id = message_id(message.uid, mailbox.email.rpartition("@")[2])
    check_letter(message)
    message.save()
    record("message.queued", message, by=by)
    ring("outreach.tasks.send_due")
    return message


def last_answer(conversation: Conversation) -> Incoming | None:
    answers = Incoming.objects.filter(conversation=conversation, kind=Incoming.Kind.REPLY)
    return answers.select_related("message").order_by("-at", "-pk").first()


def addressee(conversation: Conversation, mailbox: EmailAccount, last: Incoming | None) -> str:
    """The address that they wrote from last: there an answer goes. Invalid says why none can."""
    refuse_sender(mailbox)
    address = last.from_address if last else conversation.counterpart
    try:
        addr_spec(address)
    except HeaderUnsafe as error:
        raise Invalid(str(error), rule="address_missing") from None
    refuse_barred(address, last.at if last else None)
    return address


def refuse_sender(mailbox: EmailAccount) -> None:
    if mailbox.deleted_at is not None:
        raise Invalid(
            f"The mailbox {mailbox.email} is disconnected; connect it again under Mailboxes to answer",
            rule="mailbox_missing",
        )
    if mailbox.paused_at is not None:
        raise Invalid(
            f"The mailbox {mailbox.email} is paused ({mailbox.pause_reason}); resume it to answer from it",
            rule="mailbox_missing",
        )


def refuse_barred(address: str, wrote_at: datetime | None) -> None:
    """`wrote_at` is when they wrote to us last."""
    key = email_key(address)
    covering = BlocklistEntry.objects.filter(value__in=(key, key.rpartition("@")[2]))
    said_no = Suppression.objects.filter(address_hash__in=address_hashes(address))
    bars = [(entry.created_at, f"{entry.value} is on the blocklist") for entry in covering]
    bars += [(entry.created_at, f"{address} has {entry.cause}") for entry in said_no]
    for since, why in bars:
        if wrote_at is None or wrote_at <= since:
            raise Invalid(f"{why}, and has not written to you since; nothing is sent there", rule="barred")


def answer_to(subject: str) -> str:
    """One "Re:", whatever mail programs of several languages have put before it."""
    line = one_line(subject)
    return f"Re: {_ANSWERS.sub('', line, count=1) if _ANSWERS.match(line) else line}".strip()[:SUBJECT]


def one_line(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def thread_of(last: Incoming | None) -> list[str]:
    """The chain that mail programs follow, the oldest first, their own mail at its end."""
    if last is None:
        return []
    earlier = last.references.split() or ([last.message.message_id] if last.message else [])
    chain = [one for one in dict.fromkeys([*earlier, last.external_id]) if _ID.fullmatch(one)]
    return chain if len(chain) <= THREAD else [chain[0], *chain[1 - THREAD :]]


def check_letter(message: Message) -> None:
    """An answer that cannot be written is refused now, and not found out by a worker."""
    try:
        compose(frozen(message, timezone.now())[1])
    except HeaderUnsafe as error:
        raise Invalid(str(error), field="text") from None


def on_linkedin(conversation: Conversation, text: str, *, by) -> Message:
    """Its provider sends it; without one it is a task for whoever owns the profile."""
    assert conversation.linkedin_account is not None
    profile = conversation.counterpart
    return send(
        conversation.linkedin_account, to_profile=profile, text=text, by=by, conversation=conversation
    )
