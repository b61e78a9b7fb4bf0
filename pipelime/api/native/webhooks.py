"""Webhooks: endpoints that hear of events, and the record of what they were sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from pipelime.api.http import READS, WRITES
from pipelime.api.native.filters import AgeFilters, CheckedFilters, FlagFilter, MomentFilter, WordsFilter
from pipelime.api.native.inputs import Input, Nothing, RowField
from pipelime.api.native.pages import KeysetPagination
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.schema import filters_of
from pipelime.api.native.shapes import Computed, Shaped
from webhooks.endpoints import (
    create_endpoint,
    delete_endpoint,
    disable_endpoint,
    enable_endpoint,
    rotate_secret,
    send_test,
    update_endpoint,
)
from webhooks.models import Delivery, Endpoint
from webhooks.replaying import replay


def webhook_id(uid: UUID) -> str:
    return Delivery(uid=uid).webhook_id


class WebhookSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    target_type = serializers.ChoiceField(choices=Endpoint.TargetType.choices)
    url = serializers.CharField(help_text="Blank for one that goes to a mail address.")
    email = serializers.CharField()
    format = serializers.CharField(
        source="dialect", help_text="Whose event names, bodies and signature it gets."
    )
    on_menu = serializers.BooleanField(help_text="Whether people may set it off from a lead's page.")
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    is_enabled = Computed(
        lambda disabled_at: disabled_at is None, "disabled_at", kind=serializers.BooleanField()
    )
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.CharField()
    failing_since = serializers.DateTimeField(allow_null=True, help_text="Nothing has arrived since.")
    old_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the secret before the last rotation signs as well."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class WebhookWithSecret(WebhookSerializer):
    secret = Computed(kind=serializers.CharField(help_text="Shown now and never again."))


class WebhookChangesInput(Input):
    url = serializers.CharField(help_text="https, on a public host.")
    events = serializers.ListField(
        child=serializers.CharField(), help_text='Names, "lead.*" for all of a kind, or "*" for everything.'
    )
    description = serializers.CharField(required=False, allow_blank=True)
    name = serializers.CharField(required=False, allow_blank=True)
    on_menu = serializers.BooleanField(
        required=False, help_text="For lead.triggered: offer it on the pages of leads."
    )


class WebhookInput(WebhookChangesInput):
    format = serializers.ChoiceField(
        source="dialect",
        choices=list(settings.WEBHOOK_DIALECTS),
        required=False,
        help_text="native (Standard Webhooks) unless said otherwise. Stays as it was made.",
    )


class DisableInput(Input):
    reason = serializers.CharField(max_length=500, required=False)


class ReplayInput(Input):
    since = serializers.DateTimeField(required=False, help_text="Everything missed from this moment on.")
    delivery_id = RowField(
        Delivery.objects.all,
        "delivery",
        source="delivery",
        required=False,
        help_text="One delivery, arrived or not.",
    )


class ReplaySerializer(serializers.Serializer):
    queued = serializers.IntegerField()


class AttemptSerializer(Shaped):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="The receiver's HTTP status.")
    error = serializers.CharField()
    seconds = serializers.FloatField()


class DeliverySerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    webhook_id = Computed(webhook_id, "uid", kind=serializers.CharField(help_text="As the receiver sees it."))
    event = serializers.CharField(source="event_name")
    event_id = serializers.UUIDField(source="event.uid", allow_null=True)
    status = serializers.ChoiceField(choices=Delivery.State.choices, source="state")
    response_status = serializers.IntegerField(source="last_status", allow_null=True)
    error = serializers.CharField(source="last_error")
    attempts = AttemptSerializer(many=True, source="tries")
    due_at = serializers.DateTimeField(help_text="Of a queued one: when it is tried next.")
    delivered_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class DeliveryFilter(CheckedFilters):
    status = WordsFilter(field_name="state")
    event = WordsFilter(field_name="event_name")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")


class WebhookFilter(AgeFilters):
    is_enabled = FlagFilter(field_name="disabled_at", lookup_expr="isnull")


class WebhookViewSet(Lists, Shows, NativeViewSet):
    """URLs that hear of events, signed as Standard Webhooks."""

    subject = "webhooks"
    what = "webhook"
    admin_methods = READS | WRITES
    serializer_class = WebhookSerializer
    input_class = WebhookInput
    inputs = {
        "partial_update": WebhookChangesInput,
        "rotate_secret": Nothing,
        "replay": ReplayInput,
        "test": Nothing,
        "enable": Nothing,
        "disable": DisableInput,
    }
    parameters = {"deliveries": (*KeysetPagination.PARAMETERS, *DeliveryFilter.base_filters)}
    filterset_class = WebhookFilter
    orders = {"id": "id", "url": "url", "created_at": "created_at"}

    def get_queryset(self):
        return Endpoint.objects.all()

    def with_secret(self, endpoint: Endpoint, secret: str, status: int) -> Response:
        shown: dict[str, Any] = WebhookSerializer().to_representation(endpoint)
        return Response({**shown, "secret": secret}, status=status)

    @extend_schema(responses={201: WebhookWithSecret})
    def create(self, request):
        """The answer holds the secret, this once. Revoking the key that made a webhook disables it."""
        endpoint, secret = create_endpoint(self.account, by=self.by, api_key=self.caller.key, **self.body())
        return self.with_secret(endpoint, secret, 201)

    def partial_update(self, request, id):
        return self.answer(update_endpoint(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_endpoint(self.row(), by=self.by)
        return gone()

    @extend_schema(responses=WebhookWithSecret)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request, id):
        """A new secret, shown this once. For 24 hours deliveries carry both signatures."""
        found = self.row()
        self.body()
        return self.with_secret(found, rotate_secret(found, by=self.by), 200)

    @extend_schema(parameters=filters_of(DeliveryFilter), responses=DeliverySerializer(many=True))
    @action(detail=True)
    def deliveries(self, request, id):
        """What it was sent, with every attempt; the newest first."""
        rows = DeliveryFilter(request.query_params, Delivery.objects.filter(endpoint=self.row())).narrowed()
        return Response(self.paginator.answer(rows, self, DeliverySerializer))

    @extend_schema(responses={202: ReplaySerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request, id):
        """Send again what was missed since a moment, or one delivery."""
        found = self.row()
        return Response({"queued": replay(found, by=self.by, **self.body())}, status=202)

    @extend_schema(responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request, id):
        """Queue an endpoint.tested event for it, whatever it listens to."""
        found = self.row()
        self.body()
        delivery = send_test(found, by=self.by)
        return Response(DeliverySerializer().to_representation(delivery), status=202)

    @action(detail=True, methods=["post"])
    def enable(self, request, id):
        """Send again from now on; a replay brings what was missed."""
        found = self.row()
        self.body()
        enable_endpoint(found, by=self.by)
        return self.answer(found)

    @action(detail=True, methods=["post"])
    def disable(self, request, id):
        found = self.row()
        disable_endpoint(found, by=self.by, reason=self.body().get("reason", "Disabled by hand"))
        return self.answer(found)
