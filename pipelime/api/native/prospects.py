"""Prospects: the rows of prospecting lists, called and made into leads."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from crm.calls import record_call
from crm.models import Prospect
from crm.prospecting import delete_prospect, lead_from_prospect, update_prospect
from pipelime.accounts.models import User
from pipelime.api.native.activities import LoggedActivitySerializer
from pipelime.api.native.inputs import Input, RowField
from pipelime.api.native.leads import LeadSerializer
from pipelime.api.native.references import LeadRef
from pipelime.api.native.resources import NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Shaped


class ListRef(Shaped):
    id = serializers.UUIDField(source="uid")
    title = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())


class ProspectSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    prospecting_list = ListRef()
    content = serializers.ListField(child=serializers.CharField())
    position = serializers.IntegerField()
    is_active = serializers.BooleanField()
    lead = LeadRef(allow_null=True)
    comment_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ProspectInput(Input):
    content = serializers.ListField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False), help_text="A cell a column."
    )
    is_active = serializers.BooleanField()


class LeadFromInput(Input):
    owner = RowField(User.objects.active, "user", required=False, allow_null=True)


class CallInput(Input):
    phone = serializers.CharField(max_length=64)
    note = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    outcome = serializers.CharField(max_length=100, required=False, allow_blank=True)


class ProspectViewSet(Shows, NativeViewSet):
    """Rows of the prospecting lists that the caller may see."""

    subject = "prospecting-lists"
    serializer_class = ProspectSerializer
    input_class = ProspectInput
    inputs = {"create_lead": LeadFromInput, "call": CallInput}

    def get_queryset(self):
        return Prospect.objects.alive().visible_to(self.caller.user)

    def partial_update(self, request, id):
        return self.answer(update_prospect(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_prospect(self.row(), by=self.by)
        return gone()

    @extend_schema(responses={201: LeadSerializer})
    @action(detail=True, methods=["post"], url_path="create-lead")
    def create_lead(self, request, id):
        """The first cell becomes the title, the others lines of the description."""
        facts = self.body()
        facts.setdefault("owner", self.caller.user)
        lead = lead_from_prospect(self.row(), by=self.by, **facts)
        return Response(LeadSerializer().to_representation(lead), status=201)

    @extend_schema(responses={201: LoggedActivitySerializer})
    @action(detail=True, methods=["post"])
    def call(self, request, id):
        """Note that the prospect was called, and what came of it."""
        activity = record_call(self.row(), by=self.by, **self.body())
        return Response(LoggedActivitySerializer().to_representation(activity), status=201)
