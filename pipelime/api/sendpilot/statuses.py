"""How far a lead is, in the vendor's words: worked out from what has happened, as a value and as SQL."""

from __future__ import annotations

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When

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


def with_status(leads: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    """Each row with its `vendor_status`, what a person has said of it first, and its `furthest` status."""
    ended = Q(state__in=ENDED, replied_at=None)
    return leads.annotate(furthest=furthest()).annotate(
        vendor_status=Case(
            *(When(intent=intent, then=Value(status)) for status, intent in BY_HAND.items()),
            When(Q(state=State.FINISHED, reason="done") | ended, then=Value(DONE)),
            default=F("furthest"),
            output_field=CharField(),
        )
    )


def furthest() -> Case:
    """What has happened, whether or not it goes on."""
    sent = Message.objects.filter(enrolment=OuterRef("pk"), state=Message.State.SENT)
    written_to = Exists(sent.filter(channel__in=[Channel.EMAIL, Channel.LINKEDIN_MESSAGE]))
    invited = Exists(sent.filter(channel=Channel.LINKEDIN_INVITATION))
    return Case(
        When(replied_at__isnull=False, then=Value(REPLY_RECEIVED)),
        When(written_to, then=Value(MESSAGE_SENT)),
        When(connected_at__isnull=False, then=Value(CONNECTION_ACCEPTED)),
        When(invited, then=Value(CONNECTION_SENT)),
        default=Value(PENDING),
        output_field=CharField(),
    )
