"""Tasks: steps of campaigns that a person does. LinkedIn by hand, calls, and whatever a campaign asks for."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import django_filters
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_date
from django_filters import UUIDFilter
from rest_framework import exceptions, serializers
from rest_framework.decorators import action

from outreach.linkedin import tasks
from outreach.linkedin.words import with_parts, words_of_all
from outreach.models import Message
from outreach.windows import zone_named
from pipelime.accounts.models import Account, User
from pipelime.api.native.filters import CheckedFilters, MomentFormField, WordsFilter
from pipelime.api.native.inputs import Input, Nothing, RowField
from pipelime.api.native.references import UserRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows
from pipelime.api.native.shapes import Computed, Shaped
from pipelime.scope import current_account_id

STATE_OF = {word: state for state, word in tasks.DONE.items()}
CHANNELS = [choice for choice in Message.Channel.choices if choice[0] != Message.Channel.EMAIL]
PERSON = ("job_title", "phone", "linkedin_url")


def contact(uid: UUID | None, name: str, company: str | None, *person: str | None) -> dict[str, Any] | None:
    if uid is None:
        return None
    known = dict(zip(PERSON, person, strict=True))
    return {"id": uid, "name": name, "company": company or ""} | {key: known[key] or "" for key in PERSON}


def named(uid: UUID | None, name: str | None) -> dict[str, Any] | None:
    return {"id": uid, "name": name} if name else None


class ContactOfTask(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    company = serializers.CharField()
    job_title = serializers.CharField()
    phone = serializers.CharField()
    linkedin_url = serializers.CharField()


class NamedOfTask(serializers.Serializer):
    """The name as it was; the id is null once the row is gone."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class StepTaskSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    channel = serializers.ChoiceField(choices=CHANNELS)
    status = Computed(tasks.DONE.get, "state", kind=serializers.ChoiceField(choices=sorted(STATE_OF)))
    contact = Computed(
        contact,
        "contact_uid",
        "to_name",
        "enrolment__contact__company__name",
        *(f"enrolment__contact__{name}" for name in PERSON),
        kind=ContactOfTask(allow_null=True),
    )
    campaign = Computed(named, "campaign__uid", "campaign_name", kind=NamedOfTask(allow_null=True))
    step = serializers.IntegerField(source="step_number", help_text="0 of an answer outside a campaign.")
    sender = Computed(
        named,
        "linkedin_account__uid",
        "linkedin_account__name",
        kind=NamedOfTask(allow_null=True, help_text="The LinkedIn account, if it is done on LinkedIn."),
    )
    assignee = UserRef(allow_null=True)
    profile_url = Computed(kind=serializers.CharField(help_text="Where on LinkedIn it is done."))
    subject = Computed(kind=serializers.CharField())
    text = Computed(kind=serializers.CharField(help_text="Ready to be sent or said."))
    problems = Computed(
        kind=serializers.ListField(
            child=serializers.CharField(), help_text="Why the text is not ready, a sentence each."
        )
    )
    note = serializers.CharField(source="last_error", help_text="Why it came here, or why it was skipped.")
    outcome = serializers.CharField(help_text="Of a call or a task.")
    due_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(source="sent_at", allow_null=True)

    @classmethod
    def page(cls, queryset: models.QuerySet, *keys: str) -> tuple[list[dict[str, Any]], list[tuple]]:
        shaped, found = super().page(queryset, *keys)
        cls.complete_all(shaped)
        return shaped, found

    @classmethod
    def rows(cls, queryset: models.QuerySet) -> list[dict[str, Any]]:
        shaped = super().rows(queryset)
        cls.complete_all(shaped)
        return shaped

    def to_representation(self, instance: models.Model) -> dict[str, Any]:
        shaped = super().to_representation(instance)
        self.complete_all([shaped])
        return shaped

    @staticmethod
    def complete_all(shaped: list[dict[str, Any]]) -> None:
        """The words of a whole page at once: they are written from the campaign's words of this moment."""
        rows = list(with_parts(Message.objects.filter(uid__in=[row["id"] for row in shaped])))
        words, by_uid = words_of_all(rows), {str(row.uid): row for row in rows}
        for row in shaped:
            message = by_uid[str(row["id"])]
            said = words[message.pk]
            row |= {"subject": said.subject, "text": said.text, "problems": said.problems}
            row["profile_url"] = message.profile_url


class UntilFormField(MomentFormField):
    """A day, to its end in the account's time zone, or a moment."""

    def to_python(self, value: Any) -> datetime | None:
        try:
            day = parse_date(value) if isinstance(value, str) else None
        except ValueError:
            raise ValidationError(f"{value!r} is no day; write it like 2026-03-31") from None
        if day is None:
            return super().to_python(value)
        if day == day.max:
            raise ValidationError(f"{value!r} lies outside the calendar")
        zone = zone_named(Account.objects.get(pk=current_account_id()).time_zone)
        return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


class UntilFilter(django_filters.IsoDateTimeFilter):
    field_class = UntilFormField


class TaskFilter(CheckedFilters):
    assignee = UUIDFilter(field_name="assignee__uid")
    due = UntilFilter(field_name="due_at", lookup_expr="lt")
    channel = WordsFilter(field_name="channel")
    campaign = UUIDFilter(field_name="campaign__uid")
    contact = UUIDFilter(field_name="contact_uid")


class DoneInput(Input):
    outcome = serializers.CharField(max_length=60, required=False, allow_blank=True)
    text = serializers.CharField(
        max_length=20_000,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="What was really written, or noted of a call. Else it was the text as it stood.",
    )


class SkipInput(Input):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class AssignTaskInput(Input):
    user_id = RowField(User.objects.active, "user", source="user", allow_null=True)


class TaskViewSet(Lists, Shows, NativeViewSet):
    """What waits for a person, oldest first. What is done or skipped is found with its status."""

    subject = "campaigns"
    what = "task"
    serializer_class = StepTaskSerializer
    inputs = {"done": DoneInput, "skip": SkipInput, "assign": AssignTaskInput, "accepted": Nothing}
    parameters = {"list": ("status",)}
    filterset_class = TaskFilter
    orders = {"id": "id", "due_at": "due_at"}
    default_order = "due_at"

    def get_queryset(self):
        return tasks.tasks().visible_to(self.caller.user)

    def narrowed(self, rows: models.QuerySet) -> models.QuerySet:
        word = self.request.query_params.get("status", "open")
        if word not in STATE_OF:
            known = ", ".join(sorted(STATE_OF))
            raise exceptions.ValidationError({"status": [f"{word!r} is no status of a task; use {known}"]})
        return super().narrowed(rows.filter(state=STATE_OF[word]))

    @action(detail=True, methods=["post"])
    def done(self, request, id):
        """It is done; 409 when somebody else was faster. The outcome of a call is one of the account's."""
        return self.answer(tasks.finish(self.row(), by=self.by, **self.body()))

    @action(detail=True, methods=["post"])
    def skip(self, request, id):
        """It is not done, and the contact goes on to the next step."""
        return self.answer(tasks.skip(self.row(), by=self.by, **self.body()))

    @action(detail=True, methods=["post"])
    def assign(self, request, id):
        """Give it to somebody, or with null to nobody."""
        return self.answer(tasks.assign(self.row(), by=self.by, **self.body()))

    @action(detail=True, methods=["post"])
    def accepted(self, request, id):
        """The contact has accepted this invitation."""
        found = self.row()
        self.body()
        tasks.accepted(found, timezone.now(), by=self.by)
        return self.answer(found)
