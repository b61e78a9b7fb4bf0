"""What a contact would get, and a test mail to oneself."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from crm.models import Contact
from outreach import letters
from outreach.composing import HeaderUnsafe, addr_spec, compose
from outreach.connections import open_smtp
from outreach.models import Campaign, EmailAccount, Enrolment, Message, SequenceStep
from outreach.smtp_results import Accepted, DialogueError
from outreach.templating import TemplateInvalid, VariableMissing
from pipelime.errors import Invalid, NotFound
from pipelime.ids import uuid7


def preview(
    campaign: Campaign, contact: Contact, *, step: int = 1, variant: str | None = None
) -> dict[str, Any]:
    """The mail as this contact would get it; `problems` says why it could not be sent as it is."""
    message, chosen = draft_message(campaign, contact, step, variant)
    try:
        body, _ = letters.write(message, chosen, earlier(campaign, step), timezone.now())
    except (VariableMissing, TemplateInvalid, HeaderUnsafe) as error:
        return {"subject": None, "text": None, "html": None, "from": None, "to": message.to_address,
                "problems": [str(error)]}  # fmt: skip
    return {
        "subject": body.subject,
        "text": body.text,
        "html": body.html,
        "from": message.mailbox.email if message.mailbox else None,
        "to": message.to_address,
        "problems": [],
    }


def send_test(
    campaign: Campaign, *, step: int, contact: Contact, to: str, by, variant: str | None = None
) -> str:
    """Send the mail, written for the contact, to oneself. Returns the server's words. Not in the ledger."""
    message, chosen = draft_message(campaign, contact, step, variant)
    message.to_address = to
    try:
        _, letter = letters.write(message, chosen, earlier(campaign, step), timezone.now())
        data = compose(letter)
        with open_smtp(message.mailbox) as dialogue:
            outcome = dialogue.send(message.mailbox.email, addr_spec(to), data, before_dot=lambda: True)
    except (VariableMissing, TemplateInvalid, HeaderUnsafe, DialogueError) as error:
        raise Invalid(f"The test mail could not be sent: {error}") from None
    if not isinstance(outcome, Accepted):
        raise Invalid(f"The server did not take the test mail: {getattr(outcome, 'text', outcome)}")
    return outcome.reply


def draft_message(
    campaign: Campaign, contact: Contact, number: int, variant: str | None
) -> tuple[Message, SequenceStep]:
    """A message that is never stored, for the first usable mailbox."""
    step = SequenceStep.objects.filter(campaign=campaign, number=number).first()
    if step is None:
        raise NotFound(f"This campaign has no step {number}")
    mailbox: EmailAccount | None = campaign.mailboxes.filter(deleted_at=None).order_by("pk").first()
    if mailbox is None:
        raise Invalid("The campaign has no mailbox to send from; choose one first")
    if contact.email is None:
        raise Invalid(f"{contact} has no e-mail address; choose another contact")
    uid = uuid7()
    enrolment = Enrolment(
        account_id=campaign.account_id, campaign=campaign, contact=contact, address=contact.email
    )
    return (
        Message(
            uid=uid,
            account_id=campaign.account_id,
            campaign=campaign,
            enrolment=enrolment,
            mailbox=mailbox,
            contact_uid=contact.uid,
            step_number=number,
            variant=variant or step.variants[0]["key"],
            to_address=contact.email,
            to_name=f"{contact.first_name} {contact.last_name}".strip(),
            from_address=mailbox.email,
            campaign_name=campaign.name,
            message_id=f"<{uid}@{addr_spec(mailbox.email).rpartition('@')[2]}>",
        ),
        step,
    )


def earlier(campaign: Campaign, number: int) -> list[Message]:
    """Stand-ins for the mails that come before, so that a follow-up shows its thread's subject."""
    if number == 1:
        return []
    first = SequenceStep.objects.filter(campaign=campaign, number=1).first()
    return [Message(message_id="<first@preview.invalid>", subject=first.subject if first else "")]
