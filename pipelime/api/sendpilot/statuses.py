"""How far a lead is, in the vendor's words: worked out from what has happened, as a value and as SQL."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When

from outreach.models import Enrolment, Message, SequenceStep

Channel, Intent, State = SequenceStep.Channel, Enrolment.Intent, Enrolment.State

PENDING, CONNECTION_SENT, CONNECTION_ACCEPTED = "PENDING", "CONNECTION_SENT", "CONNECTION_ACCEPTED"
MESSAGE_SENT, REPLY_RECEIVED = "MESSAGE_SENT", "REPLY_RECEIVED"
MEETING_BOOKED, OPPORTUNITY, NOT_INTERESTED, DONE = "MEETING_BOOKED", "OPPORTUNITY", "NOT_INTERESTED", "DONE"
AUTOMATIC = (PENDING, CONNECTION_SENT, CONNECTION_ACCEPTED, MESSAGE_SENT, REPLY_RECEIVED)
BY_HAND = {
    OPPORTUNITY: Intent.INTERESTED,
    MEETING_BOOKED: Intent.MEETING,
    NOT_INTERESTED: Intent.NOT_INTERESTED,
}
ENDED = (State.FINISHED, State.STOPPED)
KNOWN = (*AUTOMATIC, *BY_HAND, DONE)
WRITTEN = frozenset({Channel.EMAIL, Channel.LINKEDIN_MESSAGE})
BY_INTENT = {intent: status for status, intent in BY_HAND.items()}


class Progress(NamedTuple):
    """What a lead's status follows from. `channels` are those of what its sequence has sent."""

    intent: str
    state: str
    reason: str
    has_replied: bool
    is_connected: bool
    channels: frozenset[str]


def status_of(lead: Progress) -> str:
    """As `with_status` has it in SQL."""
    if lead.intent in BY_INTENT:
        return BY_INTENT[Intent(lead.intent)]
    by_hand = lead.state == State.FINISHED and lead.reason == "done"
    if by_hand or (lead.state in ENDED and not lead.has_replied):
        return DONE
    if lead.has_replied:
        return REPLY_RECEIVED
    if lead.channels & WRITTEN:
        return MESSAGE_SENT
    if lead.is_connected:
        return CONNECTION_ACCEPTED
    return CONNECTION_SENT if Channel.LINKEDIN_INVITATION in lead.channels else PENDING


def with_status(leads: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    """Each row with its `vendor_status`: what a person has said of it first."""
    ended = Q(state__in=ENDED, replied_at=None)
    return leads.annotate(
        vendor_status=Case(
            *(When(intent=intent, then=Value(status)) for status, intent in BY_HAND.items()),
            When(Q(state=State.FINISHED, reason="done") | ended, then=Value(DONE)),
            default=furthest(),
            output_field=CharField(),
        )
    )


def furthest() -> Case:
    """What has happened, whether or not it goes on."""
    sent = Message.objects.filter(enrolment=OuterRef("pk"), state=Message.State.SENT)
    written_to = Exists(sent.filter(channel__in=WRITTEN))
    invited = Exists(sent.filter(channel=Channel.LINKEDIN_INVITATION))
    return Case(
        When(replied_at__isnull=False, then=Value(REPLY_RECEIVED)),
        When(written_to, then=Value(MESSAGE_SENT)),
        When(connected_at__isnull=False, then=Value(CONNECTION_ACCEPTED)),
        When(invited, then=Value(CONNECTION_SENT)),
        default=Value(PENDING),
        output_field=CharField(),
    )
