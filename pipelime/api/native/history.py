"""What happened: the activity feed for people, and the journal for programs that follow along."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import UUIDFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from pipelime.api.http import READS
from pipelime.api.native.filters import CheckedFilters, MomentFilter, WordsFilter
from pipelime.api.native.inputs import ObjectField
from pipelime.api.native.pages import DEFAULT, MOST, whole_number
from pipelime.api.native.resources import Lists, NativeViewSet
from pipelime.api.native.shapes import Computed, Shaped
from pipelime.backoffice.visibility import told_to
from pipelime.events import journal
from pipelime.events.feed import sentence, subject_title
from pipelime.events.models import Event

LAST_POSITION = 10**9 - 1


def actor(uid: UUID | None, name: str) -> dict[str, Any] | None:
    return {"id": uid, "name": name} if name else None


def subject(kind: str, uid: UUID, pk: int, data: dict) -> dict[str, Any]:
    return {
        "type": kind,
        "id": uid,
        "title": subject_title(Event(subject_type=kind, subject_id=pk, data=data)),
    }


def words(name: str, actor_name: str, kind: str, pk: int, data: dict) -> str:
    return sentence(Event(name=name, actor_name=actor_name, subject_type=kind, subject_id=pk, data=data))


class ActorSerializer(serializers.Serializer):
    """Who did it: a person, or a key, which has a name only."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class SubjectSerializer(serializers.Serializer):
    """What it is about."""

    type = serializers.CharField()
    id = serializers.UUIDField()
    title = serializers.CharField()


class ActivitySerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    at = serializers.DateTimeField()
    sentence = Computed(
        words, "name", "actor_name", "subject_type", "subject_id", "data", kind=serializers.CharField()
    )
    actor = Computed(actor, "actor__uid", "actor_name", kind=ActorSerializer(allow_null=True))
    subject = Computed(subject, "subject_type", "subject_uid", "subject_id", "data", kind=SubjectSerializer())


class ActivityFilter(CheckedFilters):
    name = WordsFilter(field_name="name")
    actor = UUIDFilter(field_name="actor__uid")
    subject = UUIDFilter(field_name="subject_uid")
    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")


class ActivityViewSet(Lists, NativeViewSet):
    """Who did what, when, in a sentence; the newest first."""

    subject = "activity"
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter

    def get_queryset(self) -> QuerySet[Event]:
        events, user = Event.objects.all(), self.caller.user
        return events if user is None else told_to(user, events)


class EventSerializer(serializers.Serializer):
    """One event of the journal."""

    position = serializers.IntegerField()
    id = serializers.UUIDField()
    name = serializers.CharField()
    at = serializers.DateTimeField()
    actor = ActorSerializer(allow_null=True)
    subject = SubjectSerializer()
    data = ObjectField()


def entry(position: int, event: Event) -> dict[str, Any]:
    by: UUID | None = event.actor.uid if event.actor else None
    at: datetime = event.at
    return {
        "position": position,
        "id": event.uid,
        "name": event.name,
        "at": at,
        "actor": actor(by, event.actor_name),
        "subject": subject(event.subject_type, event.subject_uid, event.subject_id, event.data),
        "data": event.data,
    }


class EventViewSet(NativeViewSet):
    """The journal: every event once, in an order that never changes behind a reader."""

    subject = "events"
    admin_methods = READS  # it tells of every lead, whoever may see it
    serializer_class = EventSerializer
    parameters = {"list": ("after", "cursor", "limit")}

    def get_queryset(self) -> QuerySet[Event]:
        return Event.objects.all()

    @extend_schema(
        parameters=[
            OpenApiParameter("after", int, description="The last position read; 0 reads from the start.")
        ]
    )
    def list(self, request) -> Response:
        given = request.query_params
        limit = whole_number(given, "limit", DEFAULT, 1, MOST)
        name = "after" if "after" in given else "cursor"
        after = whole_number(given, name, 0, 0, LAST_POSITION)
        found = journal.read(after=after, limit=limit + 1)
        shown, more = found[:limit], len(found) > limit
        last = shown[-1][0] if shown else after
        pagination = {
            "limit": limit,
            "next_cursor": str(last) if more else None,
            "has_more": more,
            "after": last,
        }
        return Response({"data": [entry(*pair) for pair in shown], "pagination": pagination})
