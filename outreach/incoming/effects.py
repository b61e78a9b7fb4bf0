"""What follows from something that came back. Every verb here runs in the transaction that stores it.

Rows are locked in the order that all of outreach keeps (see `enrolments`). What came for the second time, by
another server or in other words, is kept and changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from crm.importing.values import email_key
from crm.models import Contact, ContactEmail
from outreach import conversations, settling
from outreach.blocking import suppress
from outreach.enrolments import locked_ids, park, stop
from outreach.incoming import brakes
from outreach.incoming.returning import back_at_work
from outreach.incoming.status_codes import Blame, blame
from outreach.mailboxes import pause_and_tell
from outreach.models import Campaign, EmailAccount, Enrolment, Incoming, Message, Suppression
from pipelime.events.recording import record

Kind = Incoming.Kind
Cause = Suppression.Cause
# Of a message that was to be sent again, this shows that the first attempt had arrived.
IN_DOUBT = (Message.State.AMBIGUOUS, Message.State.QUEUED)
SOFT_WITHIN = timedelta(days=30)
MOST_SOFT = 5  # mails in that time which were not taken for now


@transaction.atomic
def take(incoming: Incoming) -> None:
    """Everything that follows from a stored Incoming of any kind."""
    hold(incoming)
    message = incoming.message
    if message is not None and message.state in IN_DOUBT:
        settling.settle_by_evidence(message, evidence=f"{incoming.get_kind_display().lower()} received")
    EFFECTS[Kind(incoming.kind)](incoming)


def hold(incoming: Incoming) -> None:
    """Lock what comes before enrolments and messages. The second of two reports of one mail waits here."""
    message, enrolment = incoming.message, incoming.enrolment
    if message is None:
        return
    theirs = ContactEmail.objects.filter(email_key=email_key(message.to_address)).values("contact")
    own = Q(pk=enrolment.contact_id) if enrolment else Q()
    locked_ids(Contact.objects.filter(own | Q(pk__in=theirs)))
    if message.state in IN_DOUBT:
        locked_ids(Campaign.objects.filter(pk=message.campaign_id))
    if incoming.kind in (Kind.BOUNCE, Kind.COMPLAINT):
        locked_ids(EmailAccount.objects.filter(pk=message.mailbox_id))
    if message.state in IN_DOUBT:
        locked_ids(Enrolment.objects.filter(pk=message.enrolment_id))


@transaction.atomic
def take_reply(incoming: Incoming) -> None:
    """A person has answered, by mail or on LinkedIn."""
    if incoming.enrolment is not None:
        note_answer(incoming.enrolment, incoming.at)
    note(incoming, "replied_at")
    conversations.file(incoming)
    record("message.replied", incoming.message or incoming, by=None, reply=incoming.snapshot())


def note_answer(enrolment: Enrolment, at: datetime) -> None:
    """End the sequences that end with this answer. The others may have steps for those who answered."""
    ending = list(answered(enrolment).values_list("pk", flat=True))
    locked_ids(Enrolment.objects.filter(pk__in={*ending, enrolment.pk}))
    # First, so that whoever hears of the end sees why.
    here = Enrolment.objects.filter(pk=enrolment.pk, replied_at=None)
    here.update(replied_at=at, updated_at=timezone.now())
    stop(Enrolment.objects.filter(pk__in=ending), reason="replied")


def answered(enrolment: Enrolment) -> QuerySet[Enrolment]:
    """Whose sequences end with this answer, by what the campaign says."""
    campaign, company = enrolment.campaign, enrolment.contact.company_id
    own = Enrolment.objects.filter(pk=enrolment.pk)
    if campaign.stop_on_company_reply and company:
        return own | Enrolment.objects.filter(campaign=campaign, contact__company=company)
    return own if campaign.stop_on_reply else own.none()


def take_auto_reply(incoming: Incoming) -> None:
    conversations.file(incoming)
    record("message.auto_replied", incoming.message or incoming, by=None, reply=incoming.snapshot())


def take_absence(incoming: Incoming) -> None:
    """Nobody is stopped for being away: the sequence goes on once they have had a day to read their mail."""
    enrolment, message = incoming.enrolment, incoming.message
    if enrolment is not None and message is not None:
        until = back_at_work(message, incoming.back_on, incoming.at)
        park(Enrolment.objects.filter(pk=enrolment.pk), until=until, reason="out of office")
    note(incoming, "away_at")
    take_auto_reply(incoming)


def take_bounce(incoming: Incoming) -> None:
    message = incoming.message
    if message is None:
        return
    if not incoming.is_final:
        stop_after_many(message)
    elif is_first(incoming, "bounced_at"):
        bounce(incoming, message, blame(incoming.status_code, words=incoming.diagnostic))


def bounce(incoming: Incoming, message: Message, fault: Blame) -> None:
    """The mailbox goes before the enrolments, as everywhere, and the message comes last."""
    words = f"{incoming.status_code} {incoming.diagnostic}".strip() or "could not be delivered"
    if message.mailbox is not None:
        if fault == Blame.SENDER:
            pause_and_tell(message.mailbox, reason=f"{message.to_address} was refused: {words}")
        brakes.brake(message.mailbox, bounced=message)
    if fault == Blame.ADDRESS:
        suppress(
            message.account_id, message.to_address, cause=Cause.BOUNCED, source=f"a report said: {words}"
        )
    elif fault == Blame.TIME:
        stop_after_many(message)
    elif fault == Blame.MESSAGE:
        stop(Enrolment.objects.filter(pk=message.enrolment_id), reason=f"refused: {words}")
    note(incoming, "bounced_at")
    record(
        "message.bounced", message, by=None, status_code=incoming.status_code, diagnostic=words, blame=fault
    )


def stop_after_many(message: Message) -> None:
    """Mails that were not taken for now: so many in a month are enough."""
    recent = Incoming.objects.filter(
        kind=Kind.BOUNCE, at__gt=timezone.now() - SOFT_WITHIN, message__to_address=message.to_address
    ).values_list("message_id", "status_code", "diagnostic")
    soft = {message_id for message_id, code, words in recent if blame(code, words=words) == Blame.TIME}
    if len(soft) >= MOST_SOFT:
        reason = f"bounced: {len(soft)} mails in {SOFT_WITHIN.days} days were not taken for now"
        stop(Enrolment.objects.filter(address=message.to_address), reason=reason)


def take_complaint(incoming: Incoming) -> None:
    message = incoming.message
    if message is None or not is_first(incoming, "complained_at"):
        return
    if message.mailbox is not None:
        brakes.brake(message.mailbox, complained=message)
    source = "a complaint that their mail provider passed on"
    suppress(message.account_id, message.to_address, cause=Cause.COMPLAINED, source=source)
    note(incoming, "complained_at")


def take_unsubscribe(incoming: Incoming) -> None:
    """Asked for by mail. What a person has written for it is shown in the inbox."""
    message = incoming.message
    if message is None:
        return
    source = f"their mail: {incoming.subject}"
    suppress(message.account_id, message.to_address, cause=Cause.UNSUBSCRIBED, source=source)
    note(incoming, "unsubscribed_at")
    if incoming.references:
        conversations.file(incoming)


def is_first(incoming: Incoming, moment: str) -> bool:
    return Message.objects.filter(pk=incoming.message_id, **{moment: None}).exists()


def note(incoming: Incoming, moment: str) -> None:
    """Keep when it happened first."""
    here = Message.objects.filter(pk=incoming.message_id, **{moment: None})
    if incoming.message is not None and here.update(**{moment: incoming.at}):
        setattr(incoming.message, moment, incoming.at)


EFFECTS = {
    Kind.REPLY: take_reply,
    Kind.AUTO_REPLY: take_auto_reply,
    Kind.OUT_OF_OFFICE: take_absence,
    Kind.BOUNCE: take_bounce,
    Kind.COMPLAINT: take_complaint,
    Kind.UNSUBSCRIBE: take_unsubscribe,
}
