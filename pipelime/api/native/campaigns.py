"""Campaigns: sequences of mails to many contacts, and their life from draft to finished."""

from __future__ import annotations

from typing import Any

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
from outreach.cloning import clone, create_from, save_as_template, template_named
from outreach.deliverability import gate, links
from outreach.enrolling import enrol
from outreach.models import Campaign, EmailAccount, Enrolment, LinkedInAccount, Message
from outreach.previewing import preview, send_test
from outreach.readiness import problems, warnings
from pipelime.api.native.campaign_shapes import CampaignSerializer, CampaignTemplateSerializer
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
from pipelime.api.native.sequences import CampaignSettingsInput, ScheduleInput, SequenceStepInput

CHECK_PARAMETERS = [
    OpenApiParameter("links", bool, description="Ask for the links in its words, too: ten at most, 3 s each.")
]
PREVIEW_PARAMETERS = [
    OpenApiParameter("contact_id", {"type": "string", "format": "uuid"}, required=True),
    OpenApiParameter("step", {"type": "integer", "minimum": 1, "default": 1}),
    OpenApiParameter("variant", str, description="A, B, …; the first unless said otherwise."),
]


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
    linkedin_account_ids = serializers.ListField(
        source="linkedin_accounts",
        child=RowField(LinkedInAccount.objects.alive, "LinkedIn account"),
        required=False,
        max_length=100,
    )
    daily_limit = serializers.IntegerField(required=False, allow_null=True)
    settings = CampaignSettingsInput(required=False)


class NewCampaignInput(CampaignInput):
    name = serializers.CharField(max_length=250, required=False, help_text="The template's if there is one.")
    template_id = serializers.CharField(
        required=False,
        help_text="A template's id or a starter's key. What else is sent goes before it.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "name" not in attrs and "template_id" not in attrs:
            raise serializers.ValidationError({"name": ["This field is required."]})
        return attrs


class ChangedCampaignInput(CampaignInput):
    include_finished = serializers.BooleanField(
        required=False, help_text="Whoever was through goes on with the steps that are new."
    )


class NameInput(Input):
    name = serializers.CharField(max_length=250)


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


class CheckInput(Input):
    links = serializers.BooleanField(required=False)


class CheckSerializer(serializers.Serializer):
    problems = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())


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
    inputs = {
        "create": NewCampaignInput,
        "partial_update": ChangedCampaignInput,
        "start": Nothing,
        "pause": Nothing,
        "clone": NameInput,
        "save_as_template": NameInput,
        "contacts": EnrolInput,
        "test": TestMailInput,
    }
    parameters = {
        "contacts": (*KeysetPagination.PARAMETERS, *EnrolmentFilter.base_filters),
        "messages": (*KeysetPagination.PARAMETERS, *MessageFilter.base_filters),
        "preview": ("contact_id", "step", "variant"),
        "check": ("links",),
    }
    talking = frozenset({"test"})
    filterset_class = CampaignFilter
    orders = {"id": "id", "name": "name", "created_at": "created_at", "updated_at": "updated_at"}

    def get_queryset(self):
        return Campaign.objects.alive()

    def create(self, request):
        """From nothing or, with template_id, after a template."""
        given = self.body()
        if template := given.pop("template_id", None):
            return self.created(create_from(template_named(template), self.account, by=self.by, **given))
        return self.created(create_campaign(self.account, by=self.by, **given))

    def partial_update(self, request, id):
        """Steps are given as a whole list. Once the campaign has begun they keep their order and channel;
        new ones may follow the last."""
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

    @extend_schema(responses={201: CampaignSerializer})
    @action(detail=True, methods=["post"])
    def clone(self, request, id):
        """A new draft with the same steps, schedule, senders and settings, and nobody in it."""
        return self.created(clone(self.row(), by=self.by, **self.body()))

    @extend_schema(responses={201: CampaignTemplateSerializer})
    @action(detail=True, methods=["post"], url_path="save-as-template")
    def save_as_template(self, request, id):
        template = save_as_template(self.row(), by=self.by, **self.body())
        return Response(CampaignTemplateSerializer().to_representation(template), status=201)

    @extend_schema(parameters=CHECK_PARAMETERS, responses=CheckSerializer)
    @action(detail=True)
    def check(self, request, id):
        """What keeps the campaign from starting, and what had better be looked at before it does."""
        found = self.row()
        given = reader(CheckInput, partial=False).run_validation(request.query_params.dict())
        gate.refresh(found)
        dead = links.broken(found) if given.get("links") else []
        return Response({"problems": problems(found), "warnings": [*warnings(found), *dead]})

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
