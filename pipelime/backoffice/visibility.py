"""What history may tell a person about leads that this person may not see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from crm.models import Comment, Lead
from pipelime.accounts.models import User
from pipelime.events.models import Event


def told_to(user: User, events: QuerySet[Event]) -> QuerySet[Event]:
    if user.account_id is None or user.is_admin:
        return events
    leads = Lead.objects.visible_to(user).values("pk")
    comments = Comment.objects.filter(Q(lead=None) | Q(lead__in=leads)).values("pk")
    return events.exclude(Q(subject_type="lead") & ~Q(subject_id__in=leads)).exclude(
        Q(subject_type="comment") & ~Q(subject_id__in=comments)
    )
