"""LinkedIn messages that no sequence sends: answers, and what programs ask for. They go by the ledger."""

from __future__ import annotations

from django.db import transaction

from crm.models import Contact
from outreach.linkedin.profiles import normal
from outreach.models import Conversation, Enrolment, LinkedInAccount, Message
from pipelime.accounts.acting import person_acting
from pipelime.changing import checked, reread
from pipelime.doorbell import ring
from pipelime.errors import Invalid
from pipelime.events.recording import record

NOBODY = "steps.invalid"  # the domain of Message-IDs that are no mail's


@transaction.atomic
def send(
    account: LinkedInAccount,
    *,
    to_profile: str,
    text: str,
    by,
    enrolment: Enrolment | None = None,
    conversation: Conversation | None = None,
) -> Message:
    """Queued for the account's provider; without one, a task for its owner with the text ready.

    In a `conversation` it is an answer, which no daily limit counts. Invalid for an account that is paused.
    """
    reread(account)
    if account.provider and account.paused_at is not None:
        raise Invalid(f"The LinkedIn account {account.name} is paused ({account.pause_reason}): resume it")
    profile = normal(to_profile, field="to_profile")
    text = checked(Message, {"text": text})["text"].strip()
    if not text:
        raise Invalid("text: the message has no words", field="text")
    contact = enrolment.contact if enrolment else contact_with(profile)
    message = outside(account, profile=profile, text=text, contact=contact, conversation=conversation)
    message.state = Message.State.QUEUED if account.provider else Message.State.TODO
    message.assignee = None if account.provider else account.owner
    message.created_by = person_acting(by, account.account_id)
    message.save()
    record("message.queued", message, by=by)
    ring("outreach.tasks.work_linkedin")
    return message


def outside(
    account: LinkedInAccount,
    *,
    profile: str,
    text: str,
    contact: Contact | None,
    conversation: Conversation | None,
) -> Message:
    """A message that stands for no step, not stored yet. It carries its own words, and where they go."""
    message = Message(
        account_id=account.account_id,
        channel=Message.Channel.LINKEDIN_MESSAGE,
        linkedin_account=account,
        conversation=conversation,
        contact_uid=contact.uid if contact else None,
        to_name=contact.name[:510] if contact else conversation.name if conversation else "",
        from_address=account.name,
        step_number=0,
        text=text,
        frozen={"subject": "", "text": text, "html": "", "can_leave": False, "profile": profile},
        followed_up=True,  # no step comes after it
    )
    message.message_id = f"<{message.uid}@{NOBODY}>"
    return message


def contact_with(profile: str) -> Contact | None:
    return Contact.objects.alive().filter(linkedin_url=profile).order_by("pk").first()
