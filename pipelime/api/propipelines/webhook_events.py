"""What webhooks and notifications were sent, ten days back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
from django.utils import timezone
from rest_framework.response import Response

from pipelime.api.propipelines.answers import MOST, page
from pipelime.api.propipelines.events import NAME, head
from pipelime.api.propipelines.resources import ProPipeLinesViewSet
from webhooks.models import Delivery, Endpoint

SHOWN = timedelta(days=10)


class WebhookEventViewSet(ProPipeLinesViewSet):
    subject = "webhooks"
    admin_only = frozenset({"*"})

    def get_queryset(self):
        # To the minute, so that the next page is a page of the same list.
        since = timezone.now().replace(second=0, microsecond=0) - SHOWN
        return Delivery.objects.filter(endpoint__dialect=NAME, created_at__gte=since)

    def list(self, request) -> Response:
        """The newest first. The document knows no pages here, so everything is shown up to a thousand."""
        given = {"limit": MOST, **self.given.dict()}
        return page(self.get_queryset().order_by("-pk"), given, shapes)

    def retrieve(self, request, id: str) -> Response:
        return Response(shapes([self.row()])[0])


def shapes(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Each endpoint's key is read once."""
    endpoints = Endpoint.objects.in_bulk({delivery.endpoint_id for delivery in deliveries})
    keys = {number: endpoint.secret for number, endpoint in endpoints.items()}
    return [shape(delivery, keys[delivery.endpoint_id]) for delivery in deliveries]


def shape(delivery: Delivery, key: str) -> dict[str, Any]:
    return {**head(delivery, key), "data": orjson.loads(delivery.body) if delivery.body else None}
