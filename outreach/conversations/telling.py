"""A conversation as one thread: what they wrote and what we wrote, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from crm.models import ContactEmail
from outreach.bodies import Body, text_from_html
from outreach.letters import draft_of, template_data
from outreach.models import Conversation, Incoming, Message, SequenceStep
from outreach.templating import TemplateInvalid, VariableMissing

State = Message.State
GONE_OUT = (State.SENT, State.SENDING, State.AMBIGUOUS)
UNSHOWN_LINK = "https://unsubscribe.invalid/"  # their way out is theirs: nobody here shall press it


class Mark(NamedTuple):
    """An entry's place in the thread."""

    at: datetime
    is_theirs: bool
    pk: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said. `state` is a message's state, or the kind of what came in."""

    at: datetime
    is_theirs: bool
    who: str
    subject: str
    text: str
    html: str
    state: str
    message: Message | None = None
    incoming: Incoming | None = None

    @property
    def mark(self) -> Mark:
        row = self.incoming or self.message
        assert row is not None
        return Mark(self.at, self.is_theirs, row.pk)


def timeline(conversation: Conversation, *, limit: int = 50, before: Mark | None = None) -> list[Entry]:
    """The last entries, or the last ones before a mark, the newest at the end."""
    theirs = Incoming.objects.filter(conversation=conversation).order_by("-at", "-pk")
    ours = messages_of(conversation).order_by("-said_at", "-pk")
    if before is not None:
        theirs = theirs.filter(earlier("at", before, is_theirs=True))
        ours = ours.filter(earlier("said_at", before, is_theirs=False))
    found = [received(incoming) for incoming in theirs[:limit]] + sent(list(ours[:limit]))
    found.sort(key=lambda entry: entry.mark)
    return found[-limit:]


def earlier(column: str, mark: Mark, *, is_theirs: bool) -> Q:
    """Rows of one side that stand before the mark; at the same moment ours stand before theirs."""
    past = Q(**{f"{column}__lt": mark.at})
    if is_theirs == mark.is_theirs:
        return past | Q(**{column: mark.at}, pk__lt=mark.pk)
    return past | Q(**{column: mark.at}) if mark.is_theirs else past


def messages_of(conversation: Conversation) -> QuerySet[Message]:
    """What went out to this person from this sender, and the answers that have not yet."""
    person = Q(contact_uid=conversation.contact.uid) if conversation.contact else Q()
    if conversation.mailbox_id is not None:
        person |= Q(to_address__in=spellings(conversation))
    ours = {"mailbox": conversation.mailbox, "linkedin_account": conversation.linkedin_account}
    sender = Q(**{name: row for name, row in ours.items() if row is not None})
    from_here = (person & sender & Q(state__in=GONE_OUT)) if person else Q(pk__in=())
    found = Message.objects.filter(Q(conversation=conversation) | from_here)
    return found.annotate(said_at=Coalesce("sent_at", "created_at")).select_related(
        "enrolment__contact__company", "campaign__account", "mailbox", "linkedin_account", "created_by"
    )


def spellings(conversation: Conversation) -> set[str]:
    """Their address as it stands in contacts and in mails; a mail keeps the spelling it was sent with."""
    known = ContactEmail.objects.filter(email_key=conversation.counterpart).values_list("address", flat=True)
    answers = Incoming.objects.filter(conversation=conversation)
    written = answers.values_list("from_address", "message__to_address").distinct()
    return {conversation.counterpart, *known, *(one for pair in written for one in pair if one)}


def received(incoming: Incoming) -> Entry:
    return Entry(
        at=incoming.at,
        is_theirs=True,
        who=incoming.from_name or incoming.from_address,
        subject=incoming.subject,
        text=incoming.text or incoming.whole_text,
        html="",
        state=incoming.kind,
        incoming=incoming,
    )


def sent(messages: Sequence[Message]) -> list[Entry]:
    numbers = {message.campaign_id for message in messages if message.campaign_id}
    rows = SequenceStep.objects.filter(campaign__in=numbers) if numbers else ()
    steps = {(step.campaign_id, step.number): step for step in rows}
    entries = []
    for message in messages:
        body = body_of(message, steps.get((message.campaign_id or 0, message.step_number)))
        entries.append(
            Entry(
                at=message.sent_at or message.created_at,
                is_theirs=False,
                who=writer_of(message),
                subject=message.subject,
                text=body.text or text_from_html(body.html or ""),
                html=body.html or "",
                state=message.state,
                message=message,
            )
        )
    return entries


def writer_of(message: Message) -> str:
    if message.created_by is not None:
        return message.created_by.name
    named = message.mailbox or message.linkedin_account
    return (named.name if named else "") or message.from_address


def body_of(message: Message, step: SequenceStep | None) -> Body:
    """What it said. A campaign's mail is written anew from the step's words, which are not kept for each
    contact; nothing where they do not fit this contact any more."""
    if message.frozen is not None and "text" in message.frozen:
        return Body(message.subject, message.frozen["text"], message.frozen["html"])
    if message.text:
        return Body(message.subject, message.text, None)
    return rewritten(message, step) or Body(message.subject, "", None)


def rewritten(message: Message, step: SequenceStep | None) -> Body | None:
    enrolment, mailbox, campaign = message.enrolment, message.mailbox, message.campaign
    if step is None or enrolment is None or mailbox is None or campaign is None:
        return None
    data = template_data(enrolment.contact, message.to_address, mailbox, campaign, UNSHOWN_LINK)
    try:
        return draft_of("-", step.variant(message.variant)["body"]).fill(data)
    except (VariableMissing, TemplateInvalid):
        return None
