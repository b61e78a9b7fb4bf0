"""From a message row to the bytes of its mail: the contact's data, the step's words, the footer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from crm.models import Contact
from outreach import tracking
from outreach.bodies import Body, Draft, compile_draft
from outreach.composing import HeaderUnsafe, Letter
from outreach.deliverability.signing import Signer
from outreach.models import Campaign, EmailAccount, Message, SequenceStep
from outreach.unsubscribing import token_for, unsubscribe_url

CONTACT_FIELDS = ("first_name", "last_name", "job_title", "phone", "location", "linkedin_url")
KNOWN = {
    *CONTACT_FIELDS, "email", "company", "custom.*", "unsubscribe_url", "postal_address", "campaign",
    "sender.name", "sender.email", "sender.first_name", "sender.signature",
}  # fmt: skip
FOOTER = "\n\n--\n{{ postal_address }}\nUnsubscribe: {{ unsubscribe_url }}\n"
FOOTER_HTML = (
    '<hr><p style="color:#666;font-size:12px">{{ postal_address | newline_to_br }}<br>'
    '<a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'
)


def postal_address(campaign: Campaign) -> str:
    return (campaign.postal_address or campaign.account.postal_address).strip()


def contact_data(contact: Contact, address: str) -> dict[str, Any]:
    """What a template sees of a person, at top level; custom fields by key, and below `custom`."""
    own = {name: getattr(contact, name) for name in CONTACT_FIELDS}
    company = contact.company.name if contact.company else ""
    return {
        **contact.custom_fields,
        **own,
        "email": address,
        "company": company,
        "custom": contact.custom_fields,
    }


def sender_data(mailbox: EmailAccount) -> dict[str, str]:
    return {
        "name": mailbox.name,
        "first_name": mailbox.name.partition(" ")[0],
        "email": mailbox.email,
        "signature": mailbox.signature,
    }


def template_data(
    contact: Contact, address: str, mailbox: EmailAccount, campaign: Campaign, url: str
) -> dict[str, Any]:
    return {
        **contact_data(contact, address),
        "sender": sender_data(mailbox),
        "campaign": campaign.name,
        "postal_address": postal_address(campaign),
        "unsubscribe_url": url,
    }


def is_html(body: str) -> bool:
    """A body that begins with a tag is HTML; everything else is plain text."""
    return body.lstrip().startswith("<")


@lru_cache(maxsize=512)
def draft(subject: str, body: str) -> Draft:
    """A step's words with what the law wants at the end, unless the author put it somewhere already."""
    if "unsubscribe_url" not in body or "postal_address" not in body:
        body = body.rstrip() + (FOOTER_HTML if is_html(body) else FOOTER)
    return draft_of(subject, body)


def draft_of(subject: str, body: str) -> Draft:
    """A template's words as they are."""
    return compile_draft(subject, body, is_html=is_html(body))


def answer_to(subject: str) -> str:
    """The subject of a follow-up without one of its own: it goes on in the thread of the first mail."""
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def write(
    message: Message, step: SequenceStep, earlier: Iterable[Message], now: datetime
) -> tuple[Body, Letter]:
    """The letter of a message, and what it says: the letter's links may be counted, the body's are plain.

    `earlier` are the mails that the enrolment was sent, in order. Raises VariableMissing, TemplateInvalid or
    HeaderUnsafe when it cannot be said to this contact.
    """
    words, earlier = step.variant(message.variant), list(earlier)
    thread = [one.message_id for one in earlier]
    url = unsubscribe_url(message)
    assert message.enrolment is not None
    assert message.campaign is not None
    assert message.mailbox is not None
    data = template_data(
        message.enrolment.contact, message.to_address, message.mailbox, message.campaign, url
    )
    own_subject = bool(words["subject"].strip()) or step.number == 1
    if not own_subject and not earlier:  # "Re:" to somebody who was never written to would be a lie
        raise HeaderUnsafe("Subject", "", "is empty, and there is no mail before this one to go on from")
    body = draft(words["subject"] if own_subject else "-", words["body"]).fill(data)
    if not own_subject:
        body = Body(subject=answer_to(earlier[0].subject), text=body.text, html=body.html)
    return body, letter_of(message, tracking.wrapped(body, message), now, url, thread)


def frozen(message: Message, now: datetime) -> tuple[Body, Letter]:
    """The letter of a direct mail: what it says was settled when somebody asked for it.

    It has no footer, being from one person to another. Where its author offers a way out, mail programs
    are told of it too.
    """
    said = message.frozen or {}
    body = Body(subject=said["subject"], text=said["text"], html=said["html"])
    url = unsubscribe_url(message) if said["can_leave"] else None
    return body, letter_of(message, body, now, url, said.get("references", []))


def letter_of(
    message: Message, body: Body, now: datetime, url: str | None, thread: Sequence[str] = ()
) -> Letter:
    """`url` is the way out, and `thread` what was written before, in order.

    Leaving by mail is offered where the mailbox is read.
    """
    mailbox = message.mailbox
    assert mailbox is not None
    return Letter(
        message_id=message.message_id,
        from_name=mailbox.name,
        from_address=mailbox.email,
        to_name=message.to_name,
        to_address=message.to_address,
        subject=body.subject,
        date=now,
        text=body.text,
        html=body.html,
        in_reply_to=thread[-1] if thread else None,
        references=thread,
        unsubscribe_url=url,
        unsubscribe_mailto=mailbox.email if url and mailbox.imap_host else None,
        unsubscribe_token=token_for(message.uid),
        reference=message.uid.hex,
        signer=signer_of(mailbox),
    )


def signer_of(mailbox: EmailAccount) -> Signer | None:
    """Who signs its mail, if that is done here; read once for all that one mailbox object sends."""
    domain = mailbox.signing_domain
    return Signer(domain.name, domain.dkim_selector, domain.dkim_key) if domain else None
