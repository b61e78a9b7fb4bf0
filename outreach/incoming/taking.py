"""One mail, from its bytes to its row and everything that follows."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from crm.importing.values import email_key
from crm.models import Contact
from outreach.incoming import effects, reports
from outreach.incoming.matching import Match, match
from outreach.incoming.reading import Kind, Mail, read
from outreach.models import EmailAccount, Incoming

NO_VERDICT = reports.Verdict((), "")
SILENT_ACTIONS = ("delivered", "relayed", "expanded")


@transaction.atomic
def take_in(
    mailbox: EmailAccount, raw: bytes, now: datetime, *, trusted_only: bool = False
) -> Incoming | None:
    """Keep a mail that belongs to something of ours, and do what follows; None of others and known ones."""
    mail = read(raw, now)
    found = match(mail, mailbox, trusted_only=trusted_only)
    if found is None or is_news_of_nothing(mail, found):
        return None
    if Incoming.objects.filter(mailbox=mailbox, digest=mail.digest).exists():
        return None
    incoming = keep(mail, found, mailbox)
    effects.take(incoming)
    return incoming


def is_news_of_nothing(mail: Mail, found: Match) -> bool:
    """A report that all went well."""
    return mail.kind == Kind.BOUNCE and found.verdict is not None and found.verdict.action in SILENT_ACTIONS


def keep(mail: Mail, found: Match, mailbox: EmailAccount) -> Incoming:
    message, verdict = found.message, found.verdict or NO_VERDICT
    enrolment = message.enrolment
    return Incoming.objects.create(
        account_id=mailbox.account_id,
        kind=mail.kind,
        mailbox=mailbox,
        message=message,
        enrolment=enrolment,
        contact=enrolment.contact if enrolment else holder(mail.sender, message.to_address),
        from_address=mail.sender,
        from_name=mail.sender_name,
        subject=mail.subject,
        text=mail.text,
        whole_text=mail.whole_text,
        external_id=mail.message_id,
        references="\n".join(mail.references),
        back_on=mail.back_on,
        status_code=verdict.status,
        diagnostic=verdict.diagnostic,
        is_final=verdict.action != reports.DELAYED,
        digest=mail.digest,
        at=mail.at,
    )


def holder(*addresses: str) -> Contact | None:
    """Whose address the first known one of these is."""
    for address in filter(None, addresses):
        if contact := Contact.objects.filter(emails__email_key=email_key(address)).first():
            return contact
    return None
