"""What people do with a conversation: give it to somebody, close it, read it, say what it means."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from outreach import enrolments
from outreach.models import Conversation, Enrolment, Incoming
from pipelime import changing
from pipelime.accounts.models import User
from pipelime.accounts.notices import tell_owner
from pipelime.changing import check_person, checked, reread
from pipelime.events.recording import record


@transaction.atomic
def assign(conversation: Conversation, user: User | None, *, by) -> Conversation:
    """Give it to somebody, who is told by mail if they want that, or to nobody."""
    check_person(user, conversation.account_id, field="assignee_id")
    changed = changing.assign(reread(conversation), {"assignee": user})
    if changed:
        conversation.save(update_fields=["assignee", "updated_at"])
        record("conversation.assigned", conversation, by=by, changes=changed)
        tell_owner(conversation, user, by=by, path="conversations")
    return conversation


@transaction.atomic
def close(conversation: Conversation, *, by) -> Conversation:
    """Done with, until they write again. Closing what is closed changes nothing."""
    if reread(conversation).closed_at is None:
        conversation.closed_at, conversation.unread = timezone.now(), 0
        conversation.save(update_fields=["closed_at", "unread", "updated_at"])
        record("conversation.closed", conversation, by=by)
    return conversation


@transaction.atomic
def reopen(conversation: Conversation, *, by) -> Conversation:
    if reread(conversation).closed_at is not None:
        conversation.closed_at = None
        conversation.save(update_fields=["closed_at", "updated_at"])
        record("conversation.reopened", conversation, by=by)
    return conversation


def read(conversation: Conversation) -> Conversation:
    """Somebody has looked at it. That is no fact for history, and what is read by one is read for all."""
    Conversation.objects.filter(pk=conversation.pk, unread__gt=0).update(unread=0)
    conversation.unread = 0
    return conversation


@transaction.atomic
def set_intent(conversation: Conversation, intent: str, *, by) -> Conversation:
    """What their answers mean, in the eyes of a person: no rule changes it after that, but "" lets rules
    guess again. Their place in the campaign says the same."""
    values = checked(Conversation, {"intent": intent}) if intent else {"intent": ""}
    if enrolment := enrolment_of(conversation):
        enrolments.set_intent(enrolment, intent, by=by)
    changed = changing.assign(reread(conversation), values)
    conversation.intent_by_hand = bool(intent)
    conversation.save(update_fields=["intent", "intent_by_hand", "updated_at"])
    if changed:
        record("conversation.updated", conversation, by=by, changes=changed)
    return conversation


def enrolment_of(conversation: Conversation) -> Enrolment | None:
    """The campaign that they answered last."""
    answers = Incoming.objects.filter(conversation=conversation, enrolment__isnull=False)
    last = answers.select_related("enrolment").order_by("-at", "-pk").first()
    return last.enrolment if last else None
