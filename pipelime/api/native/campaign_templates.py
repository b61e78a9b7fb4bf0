"""Templates of campaigns: an account's own, and the starters that every account is offered."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from outreach.campaigns import delete_campaign
from outreach.models import Campaign
from outreach.starters import STARTERS
from pipelime.api.native.campaign_shapes import CampaignTemplateSerializer
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.sequences import SequenceStepInput


class StarterSerializer(serializers.Serializer):
    """`id` is what POST /api/campaigns takes as template_id."""

    id = serializers.CharField()
    name = serializers.CharField()
    about = serializers.CharField()
    steps = SequenceStepInput(many=True)


class StartersSerializer(serializers.Serializer):
    data = StarterSerializer(many=True)


class CampaignTemplateViewSet(Lists, Shows, NativeViewSet):
    """Made by POST /api/campaigns/{id}/save-as-template. They are never started, but copied."""

    subject = "campaigns"
    what = "campaign template"
    serializer_class = CampaignTemplateSerializer
    orders = {"id": "id", "name": "name", "created_at": "created_at"}

    def get_queryset(self):
        return Campaign.objects.templates()

    def destroy(self, request, id):
        """Campaigns that were made of it stay as they are."""
        delete_campaign(self.row(), by=self.by)
        return gone()

    @extend_schema(responses=StartersSerializer)
    @action(detail=False)
    def starters(self, request):
        """Sequences to begin with; what is in square brackets is for you to write."""
        rows = [
            {"id": one.key, "name": one.name, "about": one.about, "steps": one.facts["steps"]}
            for one in STARTERS.values()
        ]
        return Response({"data": rows})
