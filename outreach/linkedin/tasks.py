"""Steps that a person does: LinkedIn by hand, calls and tasks. They wait as messages in the state `todo`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from crm.activities import add
from crm.models import ActivityType, Contact
from crm.ordering import BY_POSITION
from outreach import conversations
from outreach.linkedin import allowance
from outreach.linkedin.words import Words, with_parts, words_of
from outreach.models import Enrolment, Message
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import User
from pipelime.changing import check_person, checked
from pipelime.doorbell import ring
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record

__all__ = [
    "Words",
    "accepted",
    "assign",
    "connected",
    "finish",
    "open_tasks",
    "outcomes_of_calls",
    "skip",
    "words_of",
]

State = Message.State
DONE = {State.SENT: "done", State.SKIPPED: "skipped", State.TODO: "open"}
# What people say of a call where the account's own activity types say nothing else.
OUTCOMES = ("reached", "voicemail", "no answer", "wrong number", "call back")


def tasks() -> QuerySet[Message]:
    """What people have to do, have done or have skipped; not what a provider did."""
    by_hand = Q(state__in=(State.TODO, State.SKIPPED)) | Q(state=State.SENT, provider_id="")
    return Message.objects.filter(by_hand).exclude(channel=Message.Channel.EMAIL)


def open_tasks(user: User | None = None) -> QuerySet[Message]:
    """The oldest first; of one person, or of everybody."""
    rows = with_parts(tasks().filter(state=State.TODO)).order_by("due_at", "pk")
    return rows if user is None else rows.filter(assignee=user)


@transaction.atomic
def finish(message: Message, *, by, outcome: str = "", text: str | None = None) -> Message:
    """It is done. `text` is what was really written, or noted of a call; without it, the words as they stood.

    Conflict for what is not open any more: of two who press at once, one did it.
    """
    now, said = timezone.now(), words_of(message)
    given = {"outcome": outcome} | ({} if text is None else {"text": text})
    values = {"text": said.text, "subject": said.subject[:998]} | checked(Message, given)
    if message.channel == Message.Channel.CALL:
        values["outcome"] = note_call(message, values["outcome"], "" if text is None else values["text"], by)
    close(message, state=State.SENT, sent_at=now, due_at=now, last_error="", **values)
    allowance.note(message, now)
    record(message.done_event, message, by=by, outcome=message.outcome)
    if message.channel == Message.Channel.LINKEDIN_MESSAGE:
        conversations.note_sent(message)
    ring("outreach.tasks.plan_due")
    return message


@transaction.atomic
def skip(message: Message, *, by, reason: str = "") -> Message:
    """It is not done, and the contact goes on to the next step."""
    reason = checked(Message, {"last_error": reason})["last_error"].strip()[:2000]
    close(message, state=State.SKIPPED, due_at=timezone.now(), last_error=reason)
    record("step_task.skipped", message, by=by, reason=reason)
    ring("outreach.tasks.plan_due")
    return message


def close(message: Message, **values: Any) -> None:
    """Move an open task on, if it still is one."""
    changed = Message.objects.filter(pk=message.pk, state=State.TODO).update(fence=F("fence") + 1, **values)
    message.refresh_from_db()
    if not changed:
        word = DONE.get(State(message.state), message.state)
        raise Conflict(f"This task is {word} already; load the list again to see what is left")


@transaction.atomic
def assign(message: Message, user: User | None, *, by) -> Message:
    """Give an open task to somebody, or to nobody."""
    check_person(user, message.account_id, field="user_id")
    before = message.assignee
    if before != user:
        close(message, assignee=user)
        names = [person.name if person else None for person in (before, user)]
        record("step_task.assigned", message, by=by, changes={"assignee": names})
    return message


@transaction.atomic
def connected(enrolment: Enrolment, at: datetime, *, by) -> bool:
    """The contact has accepted the invitation. Said twice, it is true once."""
    changed = Enrolment.objects.filter(pk=enrolment.pk, connected_at=None).update(
        connected_at=at, updated_at=timezone.now()
    )
    enrolment.refresh_from_db()
    if changed:
        record("connection.accepted", enrolment, by=by)
        ring("outreach.tasks.plan_due")
    return bool(changed)


def accepted(message: Message, at: datetime, *, by) -> None:
    """Somebody saw on LinkedIn that this invitation was accepted."""
    if message.channel != Message.Channel.LINKEDIN_INVITATION or message.state != State.SENT:
        raise Invalid("Only an invitation that was sent can have been accepted; mark it as done first")
    if message.enrolment is None:
        raise Invalid("The contact is no longer in the campaign")
    connected(message.enrolment, at, by=by)


def note_call(message: Message, outcome: str, note: str, by: Any) -> str:
    """Put the call among the contact's activities. Returns the outcome in the account's own spelling."""
    kind, known = call_type(), outcomes_of_calls()
    found = {name.casefold(): name for name in known}.get(outcome.casefold(), "")
    if outcome and not found:
        raise Invalid(
            f"outcome: {outcome!r} is no outcome of a call; known are: {', '.join(known)}", field="outcome"
        )
    contact = Contact.objects.alive().filter(uid=message.contact_uid).first()
    if kind is not None and contact is not None:
        own = found if kind.outcomes.exists() else ""
        user = person_acting(by, message.account_id)
        add(contact, "contact", by=by, type=kind, user=user, note=note, outcome=own, phone=contact.phone)
    return found


def call_type() -> ActivityType | None:
    calls = ActivityType.objects.filter(kind=ActivityType.Kind.CALL, parent=None, is_disabled=False)
    return calls.order_by(*BY_POSITION).first()


def outcomes_of_calls() -> list[str]:
    """The account's own words for how a call ended, or the usual ones."""
    kind = call_type()
    own = kind.outcomes.filter(is_disabled=False).values_list("name", flat=True) if kind else []
    return list(own) or list(OUTCOMES)
