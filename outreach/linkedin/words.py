"""What a step says to its contact, ready to be copied, and what is missing for it to be said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.models import Contact
from outreach.bodies import compile_draft, text_from_html
from outreach.enrolments import UNSENT
from outreach.letters import contact_data, is_html
from outreach.models import Enrolment, LinkedInAccount, Message, SequenceStep
from outreach.templating import TemplateInvalid, VariableMissing

Channel = SequenceStep.Channel
LONGEST = {
    Channel.LINKEDIN_INVITATION: 300,
    Channel.LINKEDIN_MESSAGE: 8000,
}  # characters that LinkedIn takes; with a free profile an invitation has 200
NEEDED = ("enrolment__contact__company", "linkedin_account", "assignee", "account")


@dataclass(frozen=True, slots=True)
class Words:
    subject: str = ""
    text: str = ""
    problems: list[str] = field(default_factory=list)  # sentences; without any it can be sent as it is


def words_of(message: Message) -> Words:
    return words_of_all([message])[message.pk]


def words_of_all(messages: Sequence[Message]) -> dict[int, Words]:
    """By the messages' ids, in a constant number of queries if they came with_parts()."""
    numbers = {(message.campaign_id, message.step_number) for message in messages}
    found = SequenceStep.objects.filter(campaign__in={campaign_id for campaign_id, _ in numbers})
    steps = {(step.campaign_id, step.number): step for step in found}
    return {
        message.pk: said(message, steps.get((message.campaign_id or 0, message.step_number)))
        for message in messages
    }


def with_parts(messages: Any) -> Any:
    """The rows with everything that their words are made of."""
    return messages.select_related(*NEEDED)


def said(message: Message, step: SequenceStep | None) -> Words:
    """What was said, once it is; before that what the campaign says now."""
    if message.is_direct or message.state not in UNSENT:
        return Words(message.subject, message.text)
    if step is None:
        return Words(problems=["The campaign no longer has this step."])
    if message.enrolment is None:
        return Words(problems=["The contact is no longer in the campaign."])
    if step.channel in SequenceStep.LINKEDIN and not message.profile_url:
        return Words(problems=["The contact has no LinkedIn profile: write its address into the contact."])
    return written(step, message.variant, data_of(message, message.enrolment))


def written(step: SequenceStep, variant: str, data: dict[str, Any]) -> Words:
    words = step.variant(variant)
    try:
        body = compile_draft(words["subject"], words["body"], is_html=is_html(words["body"])).fill(data)
    except (VariableMissing, TemplateInvalid) as error:
        return Words(problems=[f"{str(error)[:1].upper()}{str(error)[1:]}."])
    text = (text_from_html(body.html or "") if body.text is None else body.text).strip()
    return Words(body.subject, text, list(problems_of(step.channel, text)))


def problems_of(channel: str, text: str) -> Iterable[str]:
    most = LONGEST.get(Channel(channel))
    if most is not None and len(text) > most:
        yield f"The text has {len(text):,} characters; LinkedIn takes at most {most:,}."
    if channel == Channel.LINKEDIN_MESSAGE and not text:
        yield "The message has no text."


def data_of(message: Message, enrolment: Enrolment) -> dict[str, Any]:
    """What a template sees: the same as in mails, but for what only mails have."""
    contact: Contact = enrolment.contact
    return {
        **contact_data(contact, enrolment.address),
        "sender": sender_data(message),
        "campaign": message.campaign_name,
        "postal_address": message.account.postal_address,
    }


def sender_data(message: Message) -> dict[str, str]:
    """Whoever the contact hears from: the LinkedIn account, or the person who has the task."""
    account: LinkedInAccount | None = message.linkedin_account
    name = account.name if account else message.assignee.name if message.assignee else ""
    email = message.assignee.email if message.assignee else ""
    return {"name": name, "first_name": name.partition(" ")[0], "email": email, "signature": ""}
