"""Sending a claimed batch over one SMTP connection, each message in a known state at every instant."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from outreach import letters, outcomes
from outreach.blocking import blocked, suppressed
from outreach.claiming import Batch, return_to_queue
from outreach.composing import HeaderUnsafe, addr_spec, compose
from outreach.models import EmailAccount, Enrolment, Message, SequenceStep
from outreach.smtp import Dialogue, LoginRefused, ServerUnavailable, TlsRequired
from outreach.templating import TemplateInvalid, VariableMissing
from pipelime import ledger, outbound
from pipelime.scope import account_scope

log = structlog.get_logger(__name__)

REPLY_SECONDS = 12.0  # the connection and three verbs fit into one lease
VERDICT_SECONDS = 50.0  # for the answer to the last dot, within the lease that marking as sending begins
RENEW_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the letters of a batch need beside their own rows, read at once."""

    steps: dict[tuple[int, int], SequenceStep]
    earlier: dict[int, list[Message]]


def send_batch(batch: Batch) -> int:
    """Send what was claimed. Returns how many were accepted; what was not begun goes back to the queue."""
    with account_scope(batch.mailbox.account_id):
        waiting = allowed(batch.messages)
        if not waiting:
            return 0
        try:
            with connect(batch.mailbox) as dialogue:
                return converse(dialogue, waiting)
        except (LoginRefused, TlsRequired) as error:
            return_to_queue(waiting, error=str(error))
            outcomes.pause(batch.mailbox, str(error))
        except ServerUnavailable as error:
            outcomes.server_unavailable(waiting, str(error))
            log.warning("mail.server_unavailable", mailbox=batch.mailbox.pk, error=str(error))
    return 0


def connect(mailbox: EmailAccount) -> Dialogue:
    return Dialogue.open(
        mailbox.smtp_host,
        mailbox.smtp_port,
        mailbox.smtp_security,
        mailbox.smtp_username,
        mailbox.smtp_password,
        timeout=REPLY_SECONDS,
        local_hostname=addr_spec(mailbox.email).rpartition("@")[2],
        allow_clear_password=outbound.allowed_in_clear(mailbox.smtp_host, mailbox.smtp_port),
    )


def allowed(messages: list[Message]) -> list[Message]:
    """A last look before the wire: without those whom the account must not, or need not, write to any more."""
    addresses = {message.to_address for message in messages}
    barred = {**blocked(addresses), **suppressed(addresses)}
    kept = []
    for message in messages:
        enrolment = message.enrolment
        if message.to_address in barred:
            outcomes.give_up(message, reason=barred[message.to_address])
        elif enrolment is None or enrolment.state != Enrolment.State.IN_FLIGHT:
            outcomes.give_up(message, reason="the contact has left the campaign")
        else:
            kept.append(message)
    return kept


def prepare(messages: list[Message]) -> Prepared:
    steps = SequenceStep.objects.filter(campaign__in={message.campaign_id for message in messages})
    followed = [message.enrolment_id for message in messages if message.step_number > 1]
    earlier: dict[int, list[Message]] = defaultdict(list)
    sent = Message.objects.filter(enrolment__in=followed, state="sent").order_by("step_number", "pk")
    for message in sent.only("pk", "account_id", "enrolment_id", "message_id", "subject"):
        earlier[message.enrolment_id].append(message)
    return Prepared({(step.campaign_id, step.number): step for step in steps}, earlier)


def converse(dialogue: Dialogue, messages: list[Message]) -> int:
    prepared, accepted, renewed = prepare(messages), 0, time.monotonic()
    for position, message in enumerate(messages):
        if time.monotonic() - renewed > RENEW_SECONDS:
            renew(messages[position:])
            renewed = time.monotonic()
        if not dialogue.is_open:
            return_to_queue(messages[position:], error="the connection ended before their turn")
            break
        accepted += send_one(dialogue, message, prepared)
    return accepted


def send_one(dialogue: Dialogue, message: Message, prepared: Prepared) -> bool:
    try:
        step = prepared.steps[message.campaign_id, message.step_number]
        earlier = prepared.earlier.get(message.enrolment_id, [])
        body, letter = letters.write(message, step, earlier, timezone.now())
        data = compose(letter)
        recipient = addr_spec(message.to_address)
    except (VariableMissing, TemplateInvalid, HeaderUnsafe, KeyError) as error:
        outcomes.hold(message, reason=words(error))
        return False
    message.subject = body.subject[:998]

    def before_dot() -> bool:
        dialogue.wire.timeout = VERDICT_SECONDS
        return mark_sending(message)

    dialogue.wire.timeout = REPLY_SECONDS
    outcome = dialogue.send(letter.from_address, recipient, data, before_dot=before_dot)
    return outcomes.conclude(message, outcome)


def words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return "the campaign no longer has this step"
    return str(error) or type(error).__name__


def mark_sending(message: Message) -> bool:
    """Committed before the last dot. False when the message was cancelled or taken over meanwhile."""
    table = Message._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET state = 'sending', subject = %s, "  # noqa: S608  the table is ours
            f"lease_until = {ledger.database_now(settings.LEASE.total_seconds())} "
            "WHERE id = %s AND fence = %s AND state = 'claimed'",
            [message.subject, message.pk, message.fence],
        )
        marked = cursor.rowcount == 1
    if marked:
        message.state = Message.State.SENDING
    return marked


def renew(messages: list[Message]) -> None:
    """Lengthen what is still ours; a row that is not will be noticed when its turn comes."""
    for message in messages:
        try:
            ledger.renew(Message, {message.pk: message.fence})
        except ledger.LeaseLost:
            continue
