"""Where a contact stands in a campaign, and what that alone says about what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from outreach.foresight.codes import CODES, Reason
from outreach.models import Enrolment, Message

ENDINGS = ("unsubscribed", "bounced", "complained", "blocked", "replied")
COLUMNS = ("pk", "state", "reason", "step_number", "replied_at", "parked_until")


class Place(NamedTuple):
    id: int
    state: str
    reason: str
    step_number: int
    replied_at: datetime | None
    parked_until: datetime | None


class Begun(NamedTuple):
    """The message that an enrolment in flight waits for."""

    enrolment_id: int
    campaign_id: int
    step_number: int
    state: str
    channel: str
    variant: str
    due_at: datetime
    mailbox_id: int | None
    linkedin_id: int | None


BEGUN = (
    "enrolment_id", "campaign_id", "step_number", "state", "channel", "variant", "due_at", "mailbox_id",
    "linkedin_account_id",
)  # fmt: skip


def begun(campaign_ids: Iterable[int], **narrower: object) -> list[Begun]:
    """Of these campaigns: what is on its way, open or unsettled, and what nobody has followed up yet."""
    rows = Message.objects.filter(
        campaign__in=list(campaign_ids), enrolment__state=Enrolment.State.IN_FLIGHT, **narrower
    )
    held = (*Message.OPEN, Message.State.AMBIGUOUS)
    done = rows.filter(state__in=(Message.State.SENT, Message.State.SKIPPED), followed_up=False)
    found = [*rows.filter(state__in=held).values_list(*BEGUN), *done.values_list(*BEGUN)]
    return [Begun(*row) for row in sorted(found)]


def reason_of_place(place: Place, message: Begun | None) -> Reason | None:
    """None of somebody who simply waits."""
    match place.state:
        case Enrolment.State.STOPPED:
            code = ending(place)
            says_more = place.reason and place.reason not in CODES
            return Reason(code, place.reason if says_more else CODES[code])
        case Enrolment.State.FINISHED:
            return Reason("finished", place.reason or CODES["finished"])
        case Enrolment.State.PAUSED:
            return Reason("contact_paused", place.reason or CODES["contact_paused"])
        case Enrolment.State.HELD:
            return Reason("held", place.reason or CODES["held"])
        case Enrolment.State.IN_FLIGHT:
            return on_the_way(place, message)
    return None


def ending(place: Place) -> str:
    """Reasons of stopped places begin with their code, or are a sentence."""
    said = place.reason.partition(":")[0]
    if said in ENDINGS:
        return said
    if said == "the contact was deleted":
        return "contact_deleted"
    return "replied" if place.replied_at else "stopped"


def on_the_way(place: Place, message: Begun | None) -> Reason:
    step = f"step {place.step_number}"
    if message is None:
        return Reason("in_flight", f"{step} is being concluded")
    if message.state == Message.State.AMBIGUOUS:
        return Reason("to_settle", f"nobody knows whether {step} arrived: settle its message")
    if message.state == Message.State.TODO:
        return Reason("todo_open", f"{step} waits for a person to do it")
    words = {Message.State.QUEUED: "is planned for the time shown", Message.State.SENT: "was sent just now",
             Message.State.SKIPPED: "was skipped just now"}  # fmt: skip
    until = message.due_at if message.state == Message.State.QUEUED else None
    return Reason("in_flight", f"{step} {words.get(Message.State(message.state), 'is being sent')}", until)
