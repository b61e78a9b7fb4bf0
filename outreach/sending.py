"""Sending a claimed batch over one SMTP connection, each message in a known state at every instant."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass

import structlog
from django.utils import timezone

from outreach import letters, outcomes
from outreach.blocking import blocked, suppressed
from outreach.claiming import Batch, return_to_queue
from outreach.committing import Commits, Mark
from outreach.composing import HeaderUnsafe, Letter, addr_spec, compose
from outreach.connections import REPLY_SECONDS, open_smtp
from outreach.models import Enrolment, Message, SequenceStep
from outreach.smtp import Dialogue
from outreach.smtp_results import Accepted, LoginRefused, ServerUnavailable, TlsRequired
from outreach.templating import TemplateInvalid, VariableMissing
from pipelime import ledger
from pipelime.accounts.models import Account
from pipelime.scope import account_scope

log = structlog.get_logger(__name__)

VERDICT_SECONDS = 50.0  # for the answer to the last dot, within the lease that marking as sending begins
RENEW_SECONDS = 15.0
DOT_SECONDS = 5.0  # the longest from marking as sending to the last dot; far less than a lease
CARRY_SECONDS = 0.025  # a server that answers within this is quick
TURN_SECONDS = 45.0  # then a slow server's other messages go back, so that the thread can serve others

commits = Commits()  # of this process

UNWRITABLE = (VariableMissing, TemplateInvalid, HeaderUnsafe, KeyError)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the letters of a batch need beside their own rows, read at once."""

    steps: dict[tuple[int, int], SequenceStep]
    earlier: dict[int, list[Message]]


def send_batch(batch: Batch) -> int:
    """Send what was claimed. Returns how many were accepted; what was not begun goes back to the queue."""
    began = time.monotonic()
    with account_scope(batch.mailbox.account_id):
        waiting = allowed(batch.messages)
        if not waiting:
            return 0
        try:
            with open_smtp(batch.mailbox) as dialogue:
                return converse(dialogue, waiting, began)
        except (LoginRefused, TlsRequired) as error:
            outcomes.turned_away(waiting, error)
        except ServerUnavailable as error:
            outcomes.server_unavailable(waiting, str(error))
            log.warning("mail.server_unavailable", mailbox=batch.mailbox.pk, error=str(error))
    return 0


def allowed(messages: list[Message]) -> list[Message]:
    """A last look before the wire: without those whom the account must not, or need not, write to.

    An answer in a conversation was judged when it was written; whoever says no after that, has it dropped.
    """
    if messages and Account.objects.filter(pk=messages[0].account_id, suspended_at__isnull=False).exists():
        return_to_queue(messages, error="the account is suspended")
        return []
    addresses = {message.to_address for message in messages}
    barred = {**blocked(addresses), **suppressed(addresses)}
    kept = []
    for message in messages:
        if message.to_address in barred and message.conversation_id is None:
            outcomes.give_up(message, reason=barred[message.to_address])
        elif reason := pointless(message):
            outcomes.give_up(message, reason=reason)
        else:
            kept.append(message)
    return kept


def pointless(message: Message) -> str:
    """Why nobody wants this mail to be sent any more, or nothing."""
    if message.is_direct:
        return "the lead was deleted" if message.lead is not None and message.lead.deleted_at else ""
    here = message.enrolment is not None and message.enrolment.state == Enrolment.State.IN_FLIGHT
    return "" if here else "the contact has left the campaign"


def prepare(messages: list[Message]) -> Prepared:
    campaign_ids = {message.campaign_id for message in messages if message.campaign_id}
    steps = SequenceStep.objects.filter(campaign__in=campaign_ids)
    followed = [message.enrolment_id for message in messages if message.step_number > 1]
    earlier: dict[int, list[Message]] = defaultdict(list)
    sent = Message.objects.filter(enrolment__in=followed, state="sent", channel=Message.Channel.EMAIL)
    needed = ("pk", "account_id", "enrolment_id", "message_id", "subject")
    for message in sent.order_by("step_number", "pk").only(*needed):
        earlier[message.enrolment_id].append(message)
    return Prepared({(step.campaign_id, step.number): step for step in steps}, earlier)


def converse(dialogue: Dialogue, messages: list[Message], began: float) -> int:
    """`began` is when their lease was young; it is renewed while they wait for their turn."""
    turn, renewed = Turn(dialogue, prepare(messages)), began
    try:
        for position, message in enumerate(messages):
            now = time.monotonic()
            if not dialogue.is_open or now - began > TURN_SECONDS:
                return_to_queue(messages[position:], error="the connection ended before their turn")
                break
            if now - renewed > RENEW_SECONDS:
                renew(messages[position:])
                renewed = now
            turn.send(message)
    finally:
        turn.write_carried()
    return turn.accepted


class Turn:
    """One connection's walk through its messages.

    When the server is quick, "sent" of one message is committed together with "sending" of the next:
    one transaction a message instead of two. A slow server's answer is committed at once, so that a
    worker that dies while it waits for the next one leaves no more doubt behind than it must.
    """

    def __init__(self, dialogue: Dialogue, prepared: Prepared):
        self.dialogue = dialogue
        self.prepared = prepared
        self.accepted = 0
        self.carried: Message | None = None
        self.committing = 0.0  # seconds of this message's turn in which the server waited for us

    def send(self, message: Message) -> None:
        try:
            letter, data = self.write(message)
            recipient = addr_spec(message.to_address)
        except Exception as error:  # one letter that cannot be written must not stop the others
            if not isinstance(error, UNWRITABLE):
                log.exception("mail.unwritable", message=str(message.uid))
            outcomes.hold(message, reason=words(error))
            return
        begun, self.committing = time.monotonic(), 0.0
        self.dialogue.wire.timeout = REPLY_SECONDS
        outcome = self.dialogue.send(
            letter.from_address, recipient, data, before_dot=lambda: self.before_dot(message)
        )
        if isinstance(outcome, Accepted):
            self.accepted += 1
            self.write_carried()
            self.carried = message
            if time.monotonic() - begun - self.committing > CARRY_SECONDS:
                self.write_carried()
        else:
            self.write_carried()
            outcomes.conclude(message, outcome)

    def write(self, message: Message) -> tuple[Letter, bytes]:
        if message.is_direct:
            body, letter = letters.frozen(message, timezone.now())
        else:
            step = self.prepared.steps[message.campaign_id, message.step_number]
            earlier = self.prepared.earlier.get(message.enrolment_id, [])
            body, letter = letters.write(message, step, earlier, timezone.now())
        message.subject = body.subject[:998]
        return letter, compose(letter)

    def before_dot(self, message: Message) -> bool:
        """Whether the last dot may follow: not after a pause in which others may have judged the row."""
        self.dialogue.wire.timeout = VERDICT_SECONDS
        begun, mark = time.monotonic(), Mark(sending=message, sent=self.carried)
        commits.write(mark)
        self.carried, self.committing = None, time.monotonic() - begun
        return mark.allows_the_dot and self.committing < DOT_SECONDS

    def write_carried(self) -> None:
        if self.carried is not None:
            message, self.carried = self.carried, None
            commits.write(Mark(sent=message))


def words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return "the campaign no longer has this step"
    if not isinstance(error, UNWRITABLE):
        return f"the letter could not be written ({type(error).__name__}); the log says more"
    return str(error) or type(error).__name__


def renew(messages: list[Message]) -> None:
    """Lengthen what is still ours; a row that is not will be noticed when its turn comes."""
    for message in messages:
        try:
            ledger.renew(Message, {message.pk: message.fence})
        except ledger.LeaseLost:
            continue
