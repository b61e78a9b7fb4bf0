"""What each outcome of a message writes: the row, its event, and what follows for contact and mailbox."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.models import Contact
from outreach import direct
from outreach.blocking import suppress
from outreach.claiming import return_to_queue
from outreach.enrolments import cancel, locked_ids, stop
from outreach.incoming import brakes
from outreach.incoming.status_codes import Blame, blame
from outreach.mailboxes import login_refused, pause_and_tell
from outreach.models import EmailAccount, Enrolment, Message, Suppression
from outreach.settling import mark_ambiguous, mark_sent
from outreach.smtp_results import Abandoned, Accepted, Deferred, DialogueError, Outcome, Refused, Unknown
from outreach.windows import schedule_for
from pipelime import ledger
from pipelime.events.recording import record

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 12  # deferrals with growing pauses: about a day and a half


def conclude(message: Message, outcome: Outcome) -> None:
    """Write what the server said; a row that was cancelled or taken over meanwhile is left as it is."""
    try:
        match outcome:
            case Accepted():
                mark_sent(message)
            case Unknown():
                mark_ambiguous(message, error=outcome.text)
            case Deferred():
                defer(message, f"{outcome.code} {outcome.text}" if outcome.code else outcome.text)
            case Refused():
                refuse(message, outcome)
            case Abandoned():
                take_back(message, "not sent: its lease was nearly over")
    except ledger.LeaseLost as error:
        log.info("mail.moved_meanwhile", message=str(message.uid), error=str(error))


@transaction.atomic
def take_back(message: Message, error: str) -> None:
    """Nothing was given over: if the row is still ours, it is not in doubt and waits for its next turn."""
    settle_back(message)
    return_to_queue([message], error=error)


@transaction.atomic
def defer(message: Message, error: str) -> None:
    """Nothing was taken: try again later, inside the campaign's windows, until it has been enough."""
    if message.attempts + 1 >= MOST_ATTEMPTS:
        fail(message, f"given up after {MOST_ATTEMPTS} attempts: {error}", reason="undeliverable")
        return
    due_at = next_moment(message, ledger.back_off(message.attempts, base=timedelta(minutes=2)))
    settle_back(message)
    if return_to_queue([message], due_at=due_at, error=error):
        Message.objects.filter(pk=message.pk).update(attempts=message.attempts + 1)


def settle_back(message: Message) -> None:
    """A refusal after the last dot means that nothing was taken: the row is ours to move back."""
    if message.state == Message.State.SENDING:
        Message.objects.filter(pk=message.pk, fence=message.fence, state="sending").update(state="claimed")
        message.state = Message.State.CLAIMED


def next_moment(message: Message, pause: timedelta) -> datetime:
    at = timezone.now() + pause
    campaign = message.campaign
    if campaign is None:
        return at
    return schedule_for(message, campaign).next_open(at) or at


def refuse(message: Message, outcome: Refused) -> None:
    """A 5xx: for this address, for this sender, or for this message. Only the first two reach further."""
    error = f"{outcome.code} {outcome.text}"
    fault = blamed(outcome)
    if fault == Blame.SENDER:
        take_back(message, error)
        pause(message.mailbox, error)
    elif fault == Blame.ADDRESS:
        bounce(message, error, outcome.enhanced)
        brakes.brake(message.mailbox)
    else:
        fail(message, error, reason="refused")


def blamed(outcome: Refused) -> Blame:
    """Of the address it speaks at RCPT, or after the data by its code; at MAIL the sender is judged."""
    fault = blame(outcome.enhanced, outcome.code, outcome.text)
    speaks = outcome.verb == "RCPT" or (outcome.verb == "." and bool(outcome.enhanced))
    return Blame.MESSAGE if fault == Blame.ADDRESS and not speaks else fault


@transaction.atomic
def bounce(message: Message, error: str, status_code: str) -> None:
    contact = Enrolment.objects.filter(pk=message.enrolment_id).values("contact_id")
    locked_ids(Contact.objects.filter(pk__in=contact))  # before the enrolment
    fail(message, error, reason="bounced")
    message.bounced_at = timezone.now()
    message.save(update_fields=["bounced_at"])
    record(
        "message.bounced", message, by=None, status_code=status_code, diagnostic=error, blame=Blame.ADDRESS
    )
    suppress(
        message.account_id,
        message.to_address,
        cause=Suppression.Cause.BOUNCED,
        source=f"the server said {error}",
    )


@transaction.atomic
def fail(message: Message, error: str, *, reason: str) -> None:
    """It will never be sent. What it had used of a cap stays used."""
    place = Enrolment.objects.filter(pk=message.enrolment_id)
    locked_ids(place)
    ledger.finish(
        Message, message.pk, message.fence, held=message.state, state="failed", last_error=error[:2000]
    )
    message.state, message.last_error = Message.State.FAILED, error[:2000]
    stop(place, reason=f"{reason}: {error}")
    record("message.failed", message, by=None, reason=reason)


@transaction.atomic
def give_up(message: Message, *, reason: str, state: str = Enrolment.State.STOPPED) -> None:
    """Cancel a claimed message whose contact must not, or need not, be written to any more."""
    place = Enrolment.objects.filter(pk=message.enrolment_id)
    locked_ids(place)
    # Under another fence somebody else is at it, and comes to a conclusion of their own.
    mine = Message.objects.filter(pk=message.pk, fence=message.fence)
    if message.is_direct:
        direct.drop(mine, reason=reason)
    elif cancel(mine, error=reason):
        # One that a person paused while its mail was being tried waits for that person.
        stop(place.exclude(state=Enrolment.State.PAUSED), reason=reason, state=state)


def hold(message: Message, *, reason: str) -> None:
    """The letter cannot be written for this contact, a missing name for instance: wait for a person."""
    give_up(message, reason=reason, state=Enrolment.State.HELD)


def turned_away(messages: list[Message], error: DialogueError) -> None:
    """The server's own words have a code; what we say ourselves names whom it is about."""
    return_to_queue(messages, error=str(error))
    mailbox = messages[0].mailbox
    login_refused(mailbox, f"{mailbox.smtp_host} said: {error}" if error.code else str(error))


def pause(mailbox: EmailAccount, error: str) -> None:
    pause_and_tell(mailbox, reason=f"{mailbox.smtp_host} said: {error}")


def server_unavailable(messages: list[Message], error: str) -> None:
    """The mailbox waits, longer each time; what else is due in it would only meet the same closed door."""
    mailbox, attempts = messages[0].mailbox, max(message.attempts for message in messages)
    if attempts + 1 >= MOST_ATTEMPTS:
        return_to_queue(messages, error=error)
        pause(mailbox, error)
        return
    pause_for = ledger.back_off(attempts, base=timedelta(seconds=30))
    for campaign in {message.campaign_id: message.campaign for message in messages}.values():
        own = [message for message in messages if message.campaign == campaign]
        due_at = next_moment(own[0], pause_for)
        return_to_queue(own, due_at=due_at, error=error)
        put_off(Message.objects.filter(mailbox=mailbox, campaign=campaign), due_at, attempts + 1)


@transaction.atomic
def put_off(messages: QuerySet[Message], due_at: datetime, attempts: int) -> None:
    waiting = locked_ids(messages.filter(state="queued", due_at__lte=due_at))
    Message.objects.filter(pk__in=waiting).update(due_at=due_at, attempts=attempts)
