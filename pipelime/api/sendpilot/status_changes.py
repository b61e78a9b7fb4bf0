"""What an event makes of a lead's status: worked out as it is now, and as it was without what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from outreach.models import Enrolment
from pipelime.api.sendpilot.event_rows import Rows
from pipelime.api.sendpilot.statuses import Progress, status_of
from pipelime.events.models import Event

REPLIED = "replied"
# Where an event keeps what it has changed -> what of our own that is.
CHANGES = {"status": "state", "reason": "reason", "intent": "intent"}
MOMENTS = {"replied_at": "has_replied", "connected_at": "is_connected"}


class Change(NamedTuple):
    previous: str | None
    new: str | None

    @property
    def is_none(self) -> bool:
        return self.previous == self.new


def change_of(event: Event, rows: Rows) -> Change:
    """Both are the same where nothing has changed, and None where there is no lead."""
    lead = rows.lead_of(event)
    if lead is None:
        return Change(None, None)
    now = progress_of(lead, event, rows)
    earlier = now if is_half(event) else EARLIER[event.name](now, lead, event, rows)
    return Change(status_of(earlier), status_of(now))


def is_half(event: Event) -> bool:
    """Whoever is marked as done is stopped first; the event of the mark tells both."""
    stopped = event.facts.get("reason") == "done" and "status" in changes_of(event)
    return stopped and "note" not in event.data


def progress_of(lead: Enrolment, event: Event, rows: Rows) -> Progress:
    told = event.facts if event.subject_type == "enrolment" else {}
    return Progress(
        intent=told.get("intent", lead.intent),
        state=told.get("status", lead.state),
        reason=told.get("reason", lead.reason),
        has_replied=lead.replied_at is not None,
        is_connected=lead.connected_at is not None,
        channels=frozenset(channel for _, channel in rows.sent[lead.pk]),
    )


def before_sending(now: Progress, lead: Enrolment, event: Event, rows: Rows) -> Progress:
    earlier = (channel for message, channel in rows.sent[lead.pk] if message < event.subject_id)
    return now._replace(channels=frozenset(earlier))


def before_connecting(now: Progress, lead: Enrolment, event: Event, rows: Rows) -> Progress:
    return now._replace(is_connected=False)


def before_answering(now: Progress, lead: Enrolment, event: Event, rows: Rows) -> Progress:
    """Only the first answer changes anything; it may have ended the sequence."""
    reply = rows.reply_of(event)
    if reply is None or reply.at != lead.replied_at:
        return now
    ended = {"state": Enrolment.State.IN_FLIGHT, "reason": ""} if now.reason == REPLIED else {}
    return now._replace(has_replied=False, **ended)


def before_changing(now: Progress, lead: Enrolment, event: Event, rows: Rows) -> Progress:
    told = changes_of(event)
    facts = {ours: told[name][0] for name, ours in CHANGES.items() if name in told}
    moments = {ours: told[name][0] is not None for name, ours in MOMENTS.items() if name in told}
    return now._replace(**facts, **moments)


def changes_of(event: Event) -> dict[str, list]:
    return event.data.get("changes") or {}


EARLIER: dict[str, Callable[[Progress, Enrolment, Event, Rows], Progress]] = {
    "message.sent": before_sending,
    "connection.sent": before_sending,
    "connection.accepted": before_connecting,
    "message.replied": before_answering,
    "enrolment.status_changed": before_changing,
}
