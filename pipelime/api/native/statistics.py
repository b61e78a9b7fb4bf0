"""What came of a campaign: figures in all, and by step, variant, sender and day."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from outreach.comparing import ENOUGH, Share
from outreach.models import Campaign, SequenceStep
from outreach.results import Figures, Results, results_of
from pipelime.api.native.resources import NativeViewSet


class ByWhomSerializer(serializers.Serializer):
    """Messages that people, and machines such as mail scanners, opened or clicked. One can count as both."""

    person = serializers.IntegerField()
    machine = serializers.IntegerField()


class FiguresOfMessages(serializers.Serializer):
    """Messages; each counts once, however often it was answered or opened."""

    sent = serializers.IntegerField()
    delivered = serializers.IntegerField(help_text="Sent, and no bounce is known.")
    bounced = serializers.IntegerField()
    replied = serializers.IntegerField()
    out_of_office = serializers.IntegerField()
    unsubscribed = serializers.IntegerField()
    complained = serializers.IntegerField()
    opened = ByWhomSerializer()
    clicked = ByWhomSerializer()


class ShareSerializer(serializers.Serializer):
    """Of 1, and the interval that holds the true rate with 95 % confidence (Wilson's)."""

    rate = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class StepResults(FiguresOfMessages):
    step = serializers.IntegerField()
    channel = serializers.ChoiceField(choices=SequenceStep.Channel.choices)
    verdict = serializers.CharField(
        allow_null=True,
        help_text="Which variant is better, said only when their intervals lie apart and each has "
        f"{ENOUGH} delivered; else why it cannot be said. null of a step without a choice.",
    )


class VariantResults(FiguresOfMessages):
    step = serializers.IntegerField()
    variant = serializers.CharField()
    reply_rate = ShareSerializer(allow_null=True, help_text="Of what was delivered; null of nothing.")


class SenderOfResults(serializers.Serializer):
    """An e-mail account or a LinkedIn account; null for what people did without one."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class SenderResults(FiguresOfMessages):
    sender = SenderOfResults(allow_null=True)


class DayResults(FiguresOfMessages):
    day = serializers.DateField()


class TracksSerializer(serializers.Serializer):
    """Opens and clicks are counted only while the campaign tracks them."""

    opens = serializers.BooleanField()
    clicks = serializers.BooleanField()


class ResultsSerializer(serializers.Serializer):
    time_zone = serializers.CharField(help_text="Of the days: the campaign's.")
    tracks = TracksSerializer()
    totals = FiguresOfMessages()
    steps = StepResults(many=True)
    variants = VariantResults(many=True)
    senders = SenderResults(many=True)
    days = DayResults(many=True)


class CampaignStatsViewSet(NativeViewSet):
    """What came of a campaign."""

    subject = "campaigns"
    serializer_class = ResultsSerializer
    pagination_class = None

    def get_queryset(self):
        return Campaign.objects.alive()

    @extend_schema(operation_id="campaigns_stats", responses=ResultsSerializer)
    def retrieve(self, request, id):
        """Of messages sent or bounced; an answer counts on the day, and for the step, of what it answers."""
        campaign = self.row()
        return Response(
            {
                "time_zone": campaign.time_zone,
                "tracks": {"opens": campaign.track_opens, "clicks": campaign.track_clicks},
                **shown(results_of(campaign)),
            }
        )


def shown(results: Results) -> dict[str, Any]:
    return {
        "totals": figures(results.totals),
        "steps": [
            {"step": one.step, "channel": one.channel, **figures(one.figures), "verdict": one.verdict or None}
            for one in results.steps
        ],
        "variants": [
            {
                "step": one.step,
                "variant": one.variant,
                **figures(one.figures),
                "reply_rate": rounded(one.figures.reply_rate),
            }
            for one in results.variants
        ],
        "senders": [
            {"sender": {"id": one.id, "name": one.name} if one.id else None, **figures(one.figures)}
            for one in results.senders
        ],
        "days": [{"day": one.day, **figures(one.figures)} for one in results.days],
    }


def figures(of: Figures) -> dict[str, Any]:
    return {
        "sent": of.sent,
        "delivered": of.delivered,
        "bounced": of.bounced,
        "replied": of.replied,
        "out_of_office": of.out_of_office,
        "unsubscribed": of.unsubscribed,
        "complained": of.complained,
        "opened": {"person": of.opened, "machine": of.machine_opened},
        "clicked": {"person": of.clicked, "machine": of.machine_clicked},
    }


def rounded(share: Share | None) -> dict[str, float] | None:
    if share is None:
        return None
    return {"rate": round(share.rate, 4), "low": round(share.low, 4), "high": round(share.high, 4)}
