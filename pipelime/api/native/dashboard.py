"""The dashboard's figures, the same ones that the workspace shows."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from crm.models import Contact
from outreach.models import Campaign
from pipelime.api.native.resources import NativeViewSet
from pipelime.backoffice.figures import dashboard


class StepFigures(serializers.Serializer):
    pipeline = serializers.CharField()
    step = serializers.CharField()
    count = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=18, decimal_places=2, help_text="In the account's currency.")


class LeadFigures(serializers.Serializer):
    total = serializers.IntegerField()
    by_step = StepFigures(many=True)


class MessageFigures(serializers.Serializer):
    sent = serializers.IntegerField()
    opened = serializers.IntegerField()
    replied = serializers.IntegerField()
    bounced = serializers.IntegerField()
    ambiguous = serializers.IntegerField()
    open_rate = serializers.FloatField(allow_null=True, help_text="null while opens are not tracked.")


class PeriodFigures(serializers.Serializer):
    today = MessageFigures()
    last_30_days = MessageFigures()


CampaignFigures = type(
    "CampaignFigures",
    (serializers.Serializer,),
    {status: serializers.IntegerField() for status in Campaign.Status.values},
)


class FiguresSerializer(serializers.Serializer):
    """Days are the account's own."""

    contacts = serializers.IntegerField()
    leads = LeadFigures()
    campaigns = CampaignFigures()
    messages = PeriodFigures()


class DashboardViewSet(NativeViewSet):
    """What there is and what has happened, in figures."""

    subject = "dashboard"
    serializer_class = FiguresSerializer
    pagination_class = None

    def get_queryset(self):
        return Contact.objects.alive()

    @extend_schema(responses=FiguresSerializer)
    @action(detail=False)
    def stats(self, request):
        """Leads are those that the caller may see."""
        return Response(dashboard(self.account, self.caller.user))
