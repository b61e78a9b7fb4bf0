"""Which message of ours a mail belongs to: by Message-ID, by a signed token, or only by who wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.db.models import Q

from crm.importing.values import email_key
from crm.models import Contact, ContactEmail
from outreach.incoming.reading import Mail
from outreach.incoming.reports import Report, Verdict
from outreach.models import EmailAccount, Message
from outreach.unsubscribing import message_of
from pipelime.errors import NotFound

log = structlog.get_logger(__name__)

REMEMBERED = timedelta(days=90)  # whoever we wrote to so long ago may write to us anew
State = Message.State
NEVER_LEFT = (State.CANCELLED, State.TODO, State.SKIPPED)


class Match(NamedTuple):
    """The message that something came back to; of a report also what it says of its recipient."""

    message: Message
    verdict: Verdict | None = None


def match(mail: Mail, mailbox: EmailAccount, *, trusted_only: bool = False) -> Match | None:
    """None for what is none of our business. `trusted_only` leaves out what its sender alone speaks for."""
    if is_own(mail, mailbox):
        return None
    if mail.is_other_report:
        log.info("mail.report_passed_over", mailbox=mailbox.pk)
        return None
    if mail.report is not None:
        return match_report(mail.report, mailbox)
    message = by_ids(mail.references[::-1], mailbox) or by_tokens(mail.tokens, mailbox)
    if message is None and not (trusted_only or mail.is_for_many):
        message = by_sender(mail.sender, mailbox, mail.at)
    return Match(message) if message else None


def is_own(mail: Mail, mailbox: EmailAccount) -> bool:
    """What was sent from the very mailbox is no answer; what a colleague writes from another one may be."""
    return bool(mail.sender) and email_key(mail.sender) == email_key(mailbox.email)


def is_wanted(head: Mail, mailbox: EmailAccount, *, trusted_only: bool = False) -> bool:
    """Whether a mail is worth fetching, by its headers."""
    return head.looks_like_report or match(head, mailbox, trusted_only=trusted_only) is not None


def by_ids(ids: Sequence[str], mailbox: EmailAccount) -> Message | None:
    """The first of these Message-IDs that is one of ours."""
    sent = ours(mailbox).filter(message_id__in=[one for one in ids if len(one) <= 320])
    found = {message.message_id: message for message in sent} if ids else {}
    return next((found[one] for one in ids if one in found), None)


def by_tokens(tokens: Iterable[str], mailbox: EmailAccount) -> Message | None:
    for token in tokens:
        try:
            message = message_of(token)
        except NotFound:
            continue
        if message.account_id == mailbox.account_id and message.state not in NEVER_LEFT:
            return message
    return None


def by_sender(address: str, mailbox: EmailAccount, now: datetime) -> Message | None:
    """The last mail from this mailbox to whoever has the address, at this one or another of theirs."""
    if not address:
        return None
    known = ContactEmail.objects.filter(email_key=email_key(address), account=mailbox.account_id)
    theirs = Q(to_address__in={address, email_key(address)})
    if (contact := Contact.objects.filter(pk__in=known.values("contact")).first()) is not None:
        theirs |= Q(contact_uid=contact.uid)
    recent = ours(mailbox).filter(theirs, mailbox=mailbox, sent_at__gte=now - REMEMBERED)
    return recent.order_by("-sent_at", "-id").first()


def match_report(report: Report, mailbox: EmailAccount) -> Match | None:
    """One counts only if it names a mail that we sent to the address it is about: others may be forged."""
    message = by_ids(report.ids, mailbox) or ours(mailbox).filter(uid__in=report.uids).first()
    if message is None:
        log.info("mail.report_of_nothing_ours", mailbox=mailbox.pk, ids=len(report.ids))
        return None
    to = email_key(message.to_address)
    if report.is_complaint:
        named = {email_key(address) for address in report.complainers}
        if not named or to in named:
            return Match(message)
    for verdict in report.verdicts:
        if to in {email_key(address) for address in verdict.addresses}:
            return Match(message, verdict)
    log.warning("mail.report_of_somebody_else", mailbox=mailbox.pk, message=str(message.uid))
    return None


def ours(mailbox: EmailAccount):
    return (
        Message.objects.filter(account=mailbox.account_id, channel=Message.Channel.EMAIL)
        .exclude(state__in=NEVER_LEFT)
        .select_related("enrolment__campaign", "enrolment__contact", "mailbox")
    )
