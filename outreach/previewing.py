"""What a contact would get, and a test mail to oneself."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.models import Contact
from outreach import fence, letters, outcomes
from outreach.blocking import blocked, suppressed
from outreach.committing import mark_sending
from outreach.composing import HeaderUnsafe, addr_spec, compose, message_id
from outreach.connections import open_smtp
from outreach.linkedin import words
from outreach.models import Campaign, EmailAccount, Enrolment, Message, SequenceStep
from outreach.settling import mark_ambiguous, mark_sent
from outreach.smtp_results import Accepted, DialogueError, Outcome, Unknown
from outreach.templating import TemplateInvalid, VariableMissing
from pipelime import ledger
from pipelime.accounts.acting import person_acting
from pipelime.errors import Invalid, NotFound, Suspended
from pipelime.ids import uuid7

UNWRITABLE = (VariableMissing, TemplateInvalid, HeaderUnsafe)
TEST = "test"  # what a test mail was made from, in the place of a template's name


def preview(
    campaign: Campaign, contact: Contact, *, step: int = 1, variant: str | None = None
) -> dict[str, Any]:
    """The step as this contact would get it; `problems` says why it could not be sent as it is."""
    chosen = step_of(campaign, step)
    message = draft_message(campaign, contact, chosen, variant)
    shown = {"subject": None, "text": None, "html": None, "from": message.from_address or None,
             "to": message.to_address, "problems": []}  # fmt: skip
    if chosen.channel != SequenceStep.Channel.EMAIL:
        said = words.written(chosen, message.variant, words.data_of(message, message.enrolment))
        return shown | {"subject": said.subject, "text": said.text, "problems": said.problems}
    try:
        body, _ = letters.write(message, chosen, earlier(campaign, chosen), timezone.now())
    except UNWRITABLE as error:
        return shown | {"from": None, "problems": [str(error)]}
    return shown | {"subject": body.subject, "text": body.text, "html": body.html}


def send_test(
    campaign: Campaign, *, step: int, contact: Contact, to: str, by, variant: str | None = None
) -> str:
    """Send the mail, written for the contact, to oneself, now. Returns the server's words.

    It goes through the ledger as every mail does, so that no crash sends it twice; no daily limit counts it.
    """
    message = begin_test(campaign, step_of(campaign, step), contact, to, by=by, variant=variant)
    try:
        outcome = hand_over(message)
    except DialogueError as error:
        end(message, str(error))
        raise Invalid(f"The test mail could not be sent: {error}") from None
    if isinstance(outcome, Accepted):
        mark_sent(message)
        return outcome.reply
    said = getattr(outcome, "text", "") or "it took too long"
    if isinstance(outcome, Unknown):
        mark_ambiguous(message, error=said)
        raise Invalid(f"Nobody knows whether the test mail arrived: {said}")
    end(message, said)
    raise Invalid(f"The server did not take the test mail: {said}")


@transaction.atomic
def begin_test(
    campaign: Campaign, step: SequenceStep, contact: Contact, to: str, *, by, variant: str | None
) -> Message:
    """The test mail, written and stored as claimed: no other worker takes it while we talk to the server."""
    refuse(campaign, step, to)
    message = draft_message(campaign, contact, step, variant)
    if message.mailbox is None or message.mailbox.paused_at:
        raise Invalid("The campaign has no mailbox that sends; choose one, or resume one, first")
    message.to_address = to
    try:
        body, _ = letters.write(message, step, earlier(campaign, step), timezone.now())
        message.frozen = {"subject": body.subject, "text": body.text, "html": body.html, "can_leave": True}
        compose(letters.frozen(message, timezone.now())[1])
    except UNWRITABLE as error:
        raise Invalid(f"The test mail could not be sent: {error}") from None
    message.subject = body.subject[:998]
    # It is no part of the campaign: neither its figures nor its limits know of it.
    message.campaign = message.enrolment = message.contact_uid = None
    message.template_name, message.created_by = TEST, person_acting(by, campaign.account_id)
    message.state, message.fence = Message.State.CLAIMED, 1
    message.save()
    ledger.renew(Message, {message.pk: message.fence})
    return message


def refuse(campaign: Campaign, step: SequenceStep, to: str) -> None:
    if campaign.account.is_suspended:
        raise Suspended("This account is suspended; nothing is sent")
    if reason := fence.is_held():
        raise Invalid(f"Nothing is sent now: {reason}")
    if step.channel != SequenceStep.Channel.EMAIL:
        raise Invalid(f"Step {step.number} is no e-mail, so there is no mail to test", field="step")
    if barred := (blocked([to]) | suppressed([to])).get(to):
        raise Invalid(f"{to} gets no mail of this account ({barred}); use another address", field="to")


def hand_over(message: Message) -> Outcome:
    _, letter = letters.frozen(message, timezone.now())
    with open_smtp(message.mailbox) as dialogue:
        return dialogue.send(
            letter.from_address,
            addr_spec(message.to_address),
            compose(letter),
            before_dot=lambda: mark_sending(message),
        )


def end(message: Message, error: str) -> None:
    """Who asked for it is told, and may ask again: nothing is tried a second time by itself."""
    try:
        outcomes.fail(message, error, reason="refused")
    except ledger.LeaseLost:
        raise Invalid(
            "The server took too long; the messages of the account show what became of the test mail"
        ) from None


def step_of(campaign: Campaign, number: int) -> SequenceStep:
    step = SequenceStep.objects.filter(campaign=campaign, number=number).first()
    if step is None:
        raise NotFound(f"This campaign has no step {number}")
    return step


def draft_message(campaign: Campaign, contact: Contact, step: SequenceStep, variant: str | None) -> Message:
    """What the step would send to the contact, not stored yet."""
    mailbox, address = sender_of(campaign), contact.email or ""
    if step.channel == SequenceStep.Channel.EMAIL:
        if mailbox is None:
            raise Invalid("The campaign has no mailbox to send from; choose one first")
        if not address:
            raise Invalid(f"{contact} has no e-mail address; choose another contact")
    uid = uuid7()
    enrolment = Enrolment(account_id=campaign.account_id, campaign=campaign, contact=contact, address=address)
    return Message(
        uid=uid,
        account_id=campaign.account_id,
        campaign=campaign,
        enrolment=enrolment,
        mailbox=mailbox,
        channel=step.channel,
        contact_uid=contact.uid,
        step_number=step.number,
        variant=variant or step.variants[0]["key"],
        to_address=address,
        to_name=f"{contact.first_name} {contact.last_name}".strip(),
        from_address=mailbox.email if mailbox else "",
        campaign_name=campaign.name,
        message_id=message_id(uid, mailbox.domain if mailbox else "steps.invalid"),
    )


def sender_of(campaign: Campaign) -> EmailAccount | None:
    """The first mailbox that sends, or the first one at all."""
    connected = list(campaign.mailboxes.filter(deleted_at=None).order_by("pk"))
    return next((mailbox for mailbox in connected if mailbox.paused_at is None), next(iter(connected), None))


def earlier(campaign: Campaign, step: SequenceStep) -> list[Message]:
    """A stand-in for the mail that began the thread, so that a follow-up shows its subject."""
    mails = SequenceStep.objects.filter(campaign=campaign, channel=step.channel, number__lt=step.number)
    first = mails.order_by("number").first()
    return [Message(message_id="<first@preview.invalid>", subject=first.subject)] if first else []
