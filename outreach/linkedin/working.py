"""Asking a provider for one claimed message: at every instant the row says what may have happened."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from outreach import caps, conversations, outcomes
from outreach.committing import mark_sending
from outreach.enrolments import UNCAPPED, locked_ids
from outreach.linkedin import tasks
from outreach.linkedin.accounts import pause_linkedin_account
from outreach.linkedin.port import Connected, Declined, Done, Found, Later, Locked, Outcome, Provider, Unknown
from outreach.linkedin.providers import provider_of
from outreach.linkedin.words import words_of
from outreach.models import Conversation, Enrolment, LinkedInAccount, Message
from outreach.sending import pointless
from outreach.settling import mark_ambiguous, mark_sent
from pipelime import ledger
from pipelime.events.recording import record
from pipelime.scope import account_scope

log = structlog.get_logger(__name__)


def work(message: Message) -> int:
    """Have it done. Returns 1 if the provider took it."""
    with account_scope(message.account_id):
        if reason := pointless(message):
            outcomes.give_up(message, reason=reason)
            return 0
        said = words_of(message)
        if said.problems:
            outcomes.hold(message, reason=" ".join(said.problems))
            return 0
        message.text, message.subject = said.text, said.subject[:998]
        outcome = ask(message)
        if outcome is not None:
            conclude(message, outcome)
        return int(isinstance(outcome, Done))


def ask(message: Message) -> Outcome | None:
    """What the provider made of it; None when the row was taken away before it was asked."""
    account = account_of(message)
    provider = provider_of(account)
    found = provider.find(account, message.profile_url, chat_of(message))
    if not isinstance(found, Found):
        return found
    return act(provider, account, message, found) if begin(message, found) else None


def act(provider: Provider, account: LinkedInAccount, message: Message, found: Found) -> Outcome:
    verb = provider.invite if message.channel == Message.Channel.LINKEDIN_INVITATION else provider.write
    try:
        return verb(account, found, message.text)
    except Exception as error:  # whatever broke on our side, the request may have left it
        log.exception("linkedin.broke_off", message=str(message.uid))
        return Unknown(f"our side broke off ({type(error).__name__}); the log says more")


def account_of(message: Message) -> LinkedInAccount:
    assert message.linkedin_account is not None
    return message.linkedin_account


def chat_of(message: Message) -> str:
    """The provider's id of what has been said with this person so far."""
    if message.channel != Message.Channel.LINKEDIN_MESSAGE:
        return ""
    talks = Conversation.objects.filter(linkedin_account=message.linkedin_account_id)
    own = talks.filter(counterpart=message.profile_url).exclude(provider_id="")
    return own.values_list("provider_id", flat=True).first() or ""


def begin(message: Message, found: Found) -> bool:
    """Committed before the provider is asked. False when the message was cancelled or taken over.

    Until the provider has named it, it is known there by whom, or which chat, it goes to.
    """
    to = found.person_id or found.chat_id
    with ledger.durable():
        held = Message.objects.filter(pk=message.pk, fence=message.fence, state="claimed")
        held.update(text=message.text, provider_id=to[:250])
        return mark_sending(message)


def conclude(message: Message, outcome: Outcome) -> None:
    """Write what the provider said; a row that was taken over meanwhile is left as it is."""
    try:
        match outcome:
            case Done():
                note_done(message, outcome)
            case Connected():
                pass_over(message)
            case Declined():
                hand_over(message, outcome.words)
            case Locked():
                lock_out(message, outcome.words)
            case Later():
                outcomes.defer(message, outcome.words)
            case Unknown():
                mark_ambiguous(message, error=outcome.words)
    except ledger.LeaseLost as error:
        log.info("linkedin.moved_meanwhile", message=str(message.uid), error=str(error))


@transaction.atomic
def note_done(message: Message, done: Done) -> None:
    mark_sent(message)
    if message.state != Message.State.SENT:
        return
    message.provider_id = done.provider_id[:250]
    Message.objects.filter(pk=message.pk).update(provider_id=message.provider_id)
    if message.channel == Message.Channel.LINKEDIN_MESSAGE:
        talk = conversations.note_sent(message)
        if talk is not None and done.chat_id:
            Conversation.objects.filter(pk=talk.pk).update(provider_id=done.chat_id[:250])


@transaction.atomic
def pass_over(message: Message) -> None:
    """They are a connection already: nobody needs to be invited, and the contact goes on."""
    place = Enrolment.objects.filter(pk=message.enrolment_id)
    locked_ids(place)
    let_go(message, state=Message.State.SKIPPED, last_error="a connection already", due_at=timezone.now())
    record("step_task.skipped", message, by=None, reason=message.last_error)
    for enrolment in place.select_related("campaign", "contact"):
        tasks.connected(enrolment, timezone.now(), by=None)


@transaction.atomic
def hand_over(message: Message, words: str) -> None:
    """The provider could not do it for this person: its owner may, and sees why."""
    owner = account_of(message).owner
    let_go(message, state=Message.State.TODO, last_error=words, due_at=timezone.now(), assignee=owner)


def let_go(message: Message, *, state: str, **values: Any) -> None:
    """Nothing was taken: the row leaves the worker's hands and its allowance is free again."""
    outcomes.settle_back(message)
    values |= UNCAPPED | {"claim": "", "provider_id": ""}
    ledger.finish(Message, message.pk, message.fence, state=state, **values)
    caps.give_back([message])
    message.refresh_from_db(fields=["state", "last_error", "due_at"])


@transaction.atomic
def lock_out(message: Message, words: str) -> None:
    outcomes.take_back(message, words)
    pause_linkedin_account(account_of(message), by=None, reason=words)
