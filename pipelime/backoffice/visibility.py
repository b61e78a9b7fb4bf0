"""What history may tell a person about leads, prospecting lists and conversations that they may not see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm.models import Comment, Lead, Prospect, ProspectingList
from outreach.models import Conversation, Incoming, Message
from pipelime.accounts.models import User
from pipelime.events.models import Event


def told_to(user: User, events: QuerySet[Event]) -> QuerySet[Event]:
    """What belongs to something, such as a task to its lead, is told of to those who see that."""
    if user.account_id is None or user.is_admin:
        return events
    leads, lists, prospects = (
        model.objects.visible_to(user).values("pk") for model in (Lead, ProspectingList, Prospect)
    )
    comments = Comment.objects.filter(Q(lead=None) | Q(lead__in=leads)).values("pk")
    # Asked anew each time: an answer is told of with its words, and its conversation may be a lead's by now.
    talks = Conversation.objects.visible_to(user).values("pk")
    unseen = Conversation.objects.exclude(pk__in=talks).values("pk")
    received = Incoming.objects.filter(conversation__in=unseen)
    answered = Message.objects.filter(
        Q(conversation__in=unseen) | Q(pk__in=received.exclude(message=None).values("message"))
    )
    hidden = (
        Q(subject_type="conversation", subject_id__in=unseen),
        Q(subject_type="incoming", subject_id__in=received.values("pk")),
        Q(subject_type="message", subject_id__in=answered.values("pk")),
        Q(subject_type="lead") & ~Q(subject_id__in=leads),
        Q(subject_type="prospectinglist") & ~Q(subject_id__in=lists),
        Q(subject_type="comment") & ~Q(subject_id__in=comments),
        Q(subject_type="receivedmail", parent_id=None),
        Q(parent_type="lead") & ~Q(parent_id__in=leads),
        Q(parent_type="prospectinglist") & ~Q(parent_id__in=lists),
        Q(parent_type="prospect") & ~Q(parent_id__in=prospects),
    )
    for condition in hidden:
        events = events.exclude(condition)
    return events
