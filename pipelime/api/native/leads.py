"""Leads: opportunities in a pipeline, with their comments."""

from __future__ import annotations

from django_filters import NumberFilter, UUIDFilter
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from crm.activities import log_activity
from crm.duplicates import Duplicate, duplicates_of
from crm.leads import assign_lead, create_lead, delete_lead, duplicate_lead, restore_lead, update_lead
from crm.models import Activity, ActivityType, Company, Contact, Lead, Step
from pipelime.accounts.models import User
from pipelime.api.native.activities import ActivityInput, LoggedActivitySerializer
from pipelime.api.native.comments import CommentInput, CommentSerializer, comments_on
from pipelime.api.native.filters import AgeFilters, FlagFilter, WordsFilter
from pipelime.api.native.inputs import Input, Nothing, ObjectField, RowField
from pipelime.api.native.pages import KeysetPagination
from pipelime.api.native.references import CompanyRef, ContactRef, NamedRef, UserRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Names, Shaped
from pipelime.api.native.webhooks import DeliverySerializer
from webhooks.endpoints import trigger
from webhooks.models import Endpoint


class LeadSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    title = serializers.CharField()
    description = serializers.CharField()
    status = serializers.ChoiceField(choices=Lead.Status.choices)
    pipeline = NamedRef(source="step.pipeline")
    step = NamedRef()
    owner = UserRef(allow_null=True)
    contact = ContactRef(allow_null=True)
    client_folder = CompanyRef(allow_null=True)
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, allow_null=True)
    probability = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    starred = serializers.BooleanField()
    remind_date = serializers.DateField(allow_null=True)
    remind_time = serializers.TimeField(allow_null=True)
    reminder_at = serializers.DateTimeField(allow_null=True)
    reminder_duration = serializers.IntegerField(allow_null=True)
    reminder_activity = NamedRef(allow_null=True)
    reminder_note = serializers.CharField()
    estimated_closing_date = serializers.DateField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    tags = Names()
    custom_fields = ObjectField()
    comment_count = serializers.IntegerField()
    attachment_count = serializers.IntegerField()
    created_from = serializers.CharField()
    created_by = UserRef(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class LeadInput(Input):
    title = serializers.CharField(max_length=250)
    description = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    step = RowField(Step.objects.select_related("pipeline").all, "step", required=False)
    owner = RowField(User.objects.active, "user", required=False, allow_null=True)
    contact = RowField(Contact.objects.alive, "contact", required=False, allow_null=True)
    client_folder = RowField(Company.objects.alive, "company", required=False, allow_null=True)
    status = serializers.CharField(required=False)
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, required=False, allow_null=True)
    probability = serializers.IntegerField(min_value=0, max_value=100, required=False, allow_null=True)
    currency = serializers.CharField(max_length=3, required=False)
    starred = serializers.BooleanField(required=False)
    remind_date = serializers.DateField(required=False, allow_null=True)
    remind_time = serializers.TimeField(required=False, allow_null=True)
    reminder_duration = serializers.IntegerField(required=False, allow_null=True)
    reminder_activity = RowField(ActivityType.objects.all, "activity type", required=False, allow_null=True)
    reminder_note = serializers.CharField(max_length=500, required=False, allow_blank=True)
    estimated_closing_date = serializers.DateField(required=False, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=100), required=False)
    custom_fields = ObjectField(required=False)
    created_at = serializers.DateTimeField(required=False, help_text="When it began, if that was earlier.")


class AssignInput(Input):
    owner = RowField(User.objects.active, "user", allow_null=True)


class CopyInput(Input):
    step = RowField(
        Step.objects.select_related("pipeline").all, "step", required=False, allow_null=True,
        help_text="Where the copy begins; the lead's own step if left out.",
    )  # fmt: skip


class TriggerInput(Input):
    webhook = RowField(Endpoint.objects.on_menu, "webhook of the menu")


class MatchSerializer(serializers.Serializer):
    """What is equal: the title, or a key field by its meaning or name."""

    field = serializers.CharField()
    value = serializers.CharField()


class DuplicateSerializer(serializers.Serializer):
    lead = LeadSerializer()
    matches = MatchSerializer(many=True)


class LeadFilter(AgeFilters):
    status = WordsFilter(field_name="status")
    step = UUIDFilter(field_name="step__uid")
    pipeline = UUIDFilter(field_name="step__pipeline__uid")
    owner = UUIDFilter(field_name="owner__uid")
    contact = UUIDFilter(field_name="contact__uid")
    client_folder = UUIDFilter(field_name="client_folder__uid")
    starred = FlagFilter(field_name="starred")
    unassigned = FlagFilter(field_name="owner", lookup_expr="isnull")
    min_amount = NumberFilter(field_name="amount", lookup_expr="gte")
    max_amount = NumberFilter(field_name="amount", lookup_expr="lte")


class LeadViewSet(Lists, Shows, NativeViewSet):
    """Opportunities. People see those that the account's rules let them see."""

    subject = "leads"
    serializer_class = LeadSerializer
    input_class = LeadInput
    inputs = {
        "assign": AssignInput,
        "restore": Nothing,
        "comments": CommentInput,
        "duplicate": CopyInput,
        "activities": ActivityInput,
        "trigger": TriggerInput,
    }
    parameters = {"comments": KeysetPagination.PARAMETERS, "activities": KeysetPagination.PARAMETERS}
    filterset_class = LeadFilter
    search_kind = "lead"
    orders = {
        "id": "id",
        "title": "title",
        "amount": "amount",
        "reminder_at": "reminder_at",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }

    def get_queryset(self):
        return Lead.objects.alive().visible_to(self.caller.user)

    def create(self, request):
        """Without an owner, a key's lead is nobody's and a person's lead is their own."""
        facts = self.body()
        facts.setdefault("owner", self.caller.user)
        return self.created(create_lead(self.account, by=self.by, **facts))

    def partial_update(self, request, id):
        return self.answer(update_lead(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        """Softly: restoring brings it back."""
        delete_lead(self.row(), by=self.by)
        return gone()

    @action(detail=True, methods=["post"])
    def restore(self, request, id):
        self.body()
        found = self.row(Lead.objects.visible_to(self.caller.user))
        return self.answer(restore_lead(found, by=self.by))

    @action(detail=True, methods=["post"])
    def assign(self, request, id):
        return self.answer(assign_lead(self.row(), self.body()["owner"], by=self.by))

    @extend_schema(methods=["GET"], responses=CommentSerializer(many=True))
    @extend_schema(methods=["POST"], responses={201: CommentSerializer})
    @action(detail=True, methods=["get", "post"])
    def comments(self, request, id):
        return comments_on(self, self.row())

    @extend_schema(methods=["GET"], responses=LoggedActivitySerializer(many=True))
    @extend_schema(methods=["POST"], responses={201: LoggedActivitySerializer})
    @action(detail=True, methods=["get", "post"])
    def activities(self, request, id):
        """Calls, meetings and tasks of the lead, or one more."""
        lead = self.row()
        if request.method != "POST":
            rows = Activity.objects.filter(lead=lead)
            return Response(self.paginator.answer(rows, self, LoggedActivitySerializer))
        activity = log_activity(lead, by=self.by, **self.body())
        return Response(LoggedActivitySerializer().to_representation(activity), status=201)

    @extend_schema(responses={201: LeadSerializer})
    @action(detail=True, methods=["post"])
    def duplicate(self, request, id):
        """A copy, to do: the same title, description, tags, client folder, contact and owner."""
        return self.created(duplicate_lead(self.row(), by=self.by, **self.body()))

    @extend_schema(responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def trigger(self, request, id):
        """Send the lead to a webhook that is in the menu of leads."""
        delivery = trigger(self.row(), self.body()["webhook"], by=self.by)
        return Response(DeliverySerializer().to_representation(delivery), status=202)

    @extend_schema(responses=inline_serializer("Duplicates", {"data": DuplicateSerializer(many=True)}))
    @action(detail=True, methods=["get"])
    def duplicates(self, request, id):
        """Leads with the same title, or an equal value of a key field."""
        found = duplicates_of(self.row(), seen_by=self.caller.user)
        rows = Lead.objects.filter(pk__in=[duplicate.lead.pk for duplicate in found])
        shown, keys = LeadSerializer.page(rows, "pk")
        leads = {pk: row for row, (pk,) in zip(shown, keys, strict=True)}
        data = [
            {"lead": leads[one.lead.pk], "matches": matches(one)} for one in found if one.lead.pk in leads
        ]
        return Response({"data": data})


def matches(duplicate: Duplicate) -> list[dict[str, str]]:
    return [{"field": field, "value": value} for field, value in duplicate.matches]
