"""E-mail templates, what a lead would get from one, and sending it."""

from __future__ import annotations

from django_filters import CharFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from crm.models import Lead
from outreach.models import EmailTemplate
from outreach.template_mail import preview_template, send_template
from outreach.templates import create_template, delete_template, update_template
from pipelime.accounts.models import User
from pipelime.api.native.campaigns import PreviewSerializer
from pipelime.api.native.filters import AgeFilters, FlagFilter
from pipelime.api.native.inputs import Input, RowField, reader
from pipelime.api.native.messages import MessageSerializer
from pipelime.api.native.references import UserRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Shaped

PREVIEW_PARAMETERS = [OpenApiParameter("lead_id", {"type": "string", "format": "uuid"}, required=True)]


class EmailTemplateSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    number = serializers.IntegerField(source="pk", help_text="What Pro Pipe Lines' clients name it by.")
    name = serializers.CharField()
    subject = serializers.CharField()
    body = serializers.CharField()
    is_shared = serializers.BooleanField(help_text="Everybody of the account may use it.")
    users = UserRef(many=True)
    created_by = UserRef(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class EmailTemplateInput(Input):
    name = serializers.CharField(max_length=250)
    subject = serializers.CharField(max_length=998, help_text="One line of Liquid.")
    body = serializers.CharField(
        trim_whitespace=False, help_text="Liquid; HTML if it begins with a tag, else text."
    )
    is_shared = serializers.BooleanField(required=False)
    user_ids = serializers.ListField(
        source="users",
        child=RowField(User.objects.active, "user"),
        required=False,
        max_length=500,
        help_text="Who may use one that is not shared, beside its author and administrators.",
    )


class LeadInput(Input):
    lead_id = RowField(Lead.objects.alive, "lead", source="lead")


class SendInput(Input):
    template = RowField(EmailTemplate.objects.all, "e-mail template", help_text="The template's id.")


class EmailTemplateFilter(AgeFilters):
    name = CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    is_shared = FlagFilter(field_name="is_shared")


class EmailTemplateViewSet(Lists, Shows, NativeViewSet):
    """Mails to single leads, written once. People see those that they may use."""

    subject = "email-templates"
    serializer_class = EmailTemplateSerializer
    input_class = EmailTemplateInput
    parameters = {"preview": ("lead_id",)}
    filterset_class = EmailTemplateFilter
    orders = {"id": "id", "name": "name", "created_at": "created_at", "updated_at": "updated_at"}

    def get_queryset(self):
        return EmailTemplate.objects.usable_by(self.caller.user)

    def create(self, request):
        return self.created(create_template(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        """Its author and administrators may. Mails that were written with it stay as they are."""
        return self.answer(update_template(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_template(self.row(), by=self.by)
        return gone()

    @extend_schema(parameters=PREVIEW_PARAMETERS, responses=PreviewSerializer)
    @action(detail=True)
    def preview(self, request, id):
        """The mail as a lead would get it."""
        template = self.row()
        lead = reader(LeadInput, partial=False).run_validation(request.query_params.dict())["lead"]
        if not Lead.objects.visible_to(self.caller.user).filter(pk=lead.pk).exists():
            raise serializers.ValidationError({"lead_id": [f"There is no lead with the id '{lead.uid}'"]})
        return Response(preview_template(template, lead))


class SendTemplateViewSet(NativeViewSet):
    """Writing to one lead."""

    subject = "email-templates"
    serializer_class = MessageSerializer
    inputs = {"create": SendInput}

    def get_queryset(self):
        return Lead.objects.alive().visible_to(self.caller.user)

    @extend_schema(operation_id="leads_send_template", responses={202: MessageSerializer})
    def create(self, request, id):
        """Write to the lead from its owner's mailbox. What the mail says is settled now; it goes out soon."""
        lead = self.row()
        message = send_template(self.body()["template"], lead, by=self.by)
        return self.answer(message, 202)
