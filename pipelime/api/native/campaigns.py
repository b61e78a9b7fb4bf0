"""Campaigns: sequences of mails to many contacts, and their life from draft to finished."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django_filters import CharFilter, UUIDFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from crm.models import Contact
from outreach.campaigns import (
    create_campaign,
    delete_campaign,
    pause_campaign,
    start_campaign,
    update_campaign,
)
from outreach.enrolling import enrol
from outreach.models import Campaign, EmailAccount, Enrolment, Message
from outreach.previewing import preview, send_test
from outreach.statistics import campaign_counts
from pipelime.api.native.enrolments import (
    EnrolInput,
    EnrolledSerializer,
    EnrolmentFilter,
    EnrolmentSerializer,
    chosen,
    outcome,
)
from pipelime.api.native.filters import AgeFilters, WordsFilter
from pipelime.api.native.inputs import Input, Nothing, RowField, reader
from pipelime.api.native.messages import MessageFilter, MessageSerializer
from pipelime.api.native.pages import KeysetPagination
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.schema import filters_of
from pipelime.api.native.sequences import (
    CampaignSettingsInput,
    CampaignSettingsSerializer,
    ScheduleInput,
    ScheduleSerializer,
    SequenceStepInput,
    SequenceStepSerializer,
    own_settings,
    schedule,
)
from pipelime.api.native.shapes import Computed, Shaped

PREVIEW_PARAMETERS = [
    OpenApiParameter("contact_id", {"type": "string", "format": "uuid"}, required=True),
    OpenApiParameter("step", {"type": "integer", "minimum": 1, "default": 1}),
    OpenApiParameter("variant", str, description="A, B, …; the first unless said otherwise."),
]


class CountsSerializer(serializers.Serializer):
    """Contacts by how far they are, and messages by what became of them."""

    contacts = serializers.DictField(child=serializers.IntegerField())
    messages = serializers.DictField(child=serializers.IntegerField())


class CampaignSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Campaign.Status.choices)
    steps = SequenceStepSerializer(many=True)
    schedule = Computed(schedule, "time_zone", "windows", "starts_on", "ends_on", kind=ScheduleSerializer())
    email_account_ids = Computed(kind=serializers.ListField(child=serializers.UUIDField()))
    daily_limit = serializers.IntegerField(allow_null=True)
    settings = Computed(
        own_settings, "stop_on_reply", "postal_address", "options", kind=CampaignSettingsSerializer()
    )
    counts = Computed(int, "pk", kind=CountsSerializer())
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @classmethod
    def rows(cls, queryset: models.QuerySet) -> list[dict[str, Any]]:
        return with_figures(super().rows(queryset))

    @classmethod
    def page(cls, queryset: models.QuerySet, *keys: str) -> tuple[list[dict[str, Any]], list[tuple]]:
        rows, values = super().page(queryset, *keys)
        return with_figures(rows), values

    def to_representation(self, instance: models.Model) -> dict[str, Any]:
        return with_figures([super().to_representation(instance)])[0]


def with_figures(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Counts and mailboxes of a whole page at once; until then `counts` holds the row's key."""
    keys = [row["counts"] for row in rows]
    counts = campaign_counts([Campaign(pk=pk) for pk in keys])
    mailboxes = mailbox_ids(keys)
    for row, pk in zip(rows, keys, strict=True):
        row["counts"] = by_subject(counts[pk])
        row["email_account_ids"] = mailboxes[pk]
    return rows


def by_subject(counts: dict[str, int]) -> dict[str, dict[str, int]]:
    contacts = {"total": counts["contacts"]} | {state: counts[state] for state in Enrolment.State.values}
    return {
        "contacts": contacts,
        "messages": {state: counts[f"messages_{state}"] for state in Message.State.values},
    }


def mailbox_ids(keys: Sequence[int]) -> dict[int, list[Any]]:
    """The connected mailboxes of each campaign; a disconnected one is not offered any more."""
    found: dict[int, list[Any]] = {pk: [] for pk in keys}
    pairs = (
        EmailAccount.objects.alive().filter(campaigns__in=keys).order_by("pk").values_list("campaigns", "uid")
    )
    for pk, uid in pairs:
        found[pk].append(uid)
    return found


class CampaignInput(Input):
    name = serializers.CharField(max_length=250)
    steps = SequenceStepInput(many=True, required=False)
    schedule = ScheduleInput(required=False, allow_null=True)
    email_account_ids = serializers.ListField(
        source="mailboxes",
        child=RowField(EmailAccount.objects.alive, "e-mail account"),
        required=False,
        max_length=100,
    )
    daily_limit = serializers.IntegerField(required=False, allow_null=True)
    settings = CampaignSettingsInput(required=False)


class TestMailInput(Input):
    contact_id = RowField(
        Contact.objects.alive, "contact", source="contact", help_text="For whom it is written."
    )
    step = serializers.IntegerField(required=False, min_value=1)
    variant = serializers.CharField(required=False)
    to = serializers.EmailField(required=False, help_text="Your own address; a person's own if left out.")


class PreviewInput(Input):
    contact_id = RowField(Contact.objects.alive, "contact", source="contact")
    step = serializers.IntegerField(required=False, min_value=1)
    variant = serializers.CharField(required=False)


class PreviewSerializer(serializers.Serializer):
    """`problems` says why the mail could not be sent as it is; the words are null then."""

    subject = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_null=True)
    html = serializers.CharField(allow_null=True)
    vars()["from"] = serializers.CharField(allow_null=True)
    to = serializers.CharField()
    problems = serializers.ListField(child=serializers.CharField())


class SentTestSerializer(serializers.Serializer):
    to = serializers.CharField()
    reply = serializers.CharField(help_text="The mail server's own words.")


class CampaignFilter(AgeFilters):
    status = WordsFilter(field_name="status")
    name = CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    email_account = UUIDFilter(field_name="mailboxes__uid")


class CampaignViewSet(Lists, Shows, NativeViewSet):
    """Sequences of mails. Nothing is sent before a campaign is started."""

    subject = "campaigns"
    serializer_class = CampaignSerializer
    input_class = CampaignInput
    inputs = {"start": Nothing, "pause": Nothing, "contacts": EnrolInput, "test": TestMailInput}
    parameters = {
        "contacts": (*KeysetPagination.PARAMETERS, *EnrolmentFilter.base_filters),
        "messages": (*KeysetPagination.PARAMETERS, *MessageFilter.base_filters),
        "preview": ("contact_id", "step", "variant"),
    }
    filterset_class = CampaignFilter
    orders = {"id": "id", "name": "name", "created_at": "created_at", "updated_at": "updated_at"}

    def get_queryset(self):
        return Campaign.objects.alive()

    def create(self, request):
        return self.created(create_campaign(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        """Steps are given as a whole list. Once the campaign has begun, their words may change."""
        return self.answer(update_campaign(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        """Nothing more is sent; what was sent stays on record."""
        delete_campaign(self.row(), by=self.by)
        return gone()

    @action(detail=True, methods=["post"])
    def start(self, request, id):
        """Start, or go on after a pause. Refused with every reason while something is missing."""
        found = self.row()
        self.body()
        return self.answer(start_campaign(found, by=self.by))

    @action(detail=True, methods=["post"])
    def pause(self, request, id):
        found = self.row()
        self.body()
        return self.answer(pause_campaign(found, by=self.by))

    @extend_schema(
        methods=["GET"], parameters=filters_of(EnrolmentFilter), responses=EnrolmentSerializer(many=True)
    )
    @extend_schema(methods=["POST"], responses=EnrolledSerializer)
    @action(detail=True, methods=["get", "post"])
    def contacts(self, request, id):
        """Who is in the campaign, and putting contacts in: by contact_ids, import_id or filter."""
        found = self.row()
        if request.method == "POST":
            return Response(outcome(enrol(found, chosen(self.body()), by=self.by)))
        rows = EnrolmentFilter(request.query_params, Enrolment.objects.filter(campaign=found)).narrowed()
        return Response(self.paginator.answer(rows, self, EnrolmentSerializer))

    @extend_schema(parameters=filters_of(MessageFilter), responses=MessageSerializer(many=True))
    @action(detail=True)
    def messages(self, request, id):
        """The campaign's mails, planned, sent and failed."""
        rows = MessageFilter(request.query_params, Message.objects.filter(campaign=self.row())).narrowed()
        return Response(self.paginator.answer(rows, self, MessageSerializer))

    @extend_schema(parameters=PREVIEW_PARAMETERS, responses=PreviewSerializer)
    @action(detail=True)
    def preview(self, request, id):
        """A step's mail as one contact would get it."""
        found = self.row()
        given = reader(PreviewInput, partial=False).run_validation(request.query_params.dict())
        return Response(preview(found, **given))

    @extend_schema(responses=SentTestSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request, id):
        """Send a step's mail, written for a contact, to yourself."""
        found = self.row()
        given = {"step": 1, **self.body()}
        to = given.pop("to", None) or getattr(self.caller.user, "email", None)
        if to is None:
            raise serializers.ValidationError({"to": ["An API key has no address of its own; say whose"]})
        return Response({"to": to, "reply": send_test(found, by=self.by, to=to, **given)})
