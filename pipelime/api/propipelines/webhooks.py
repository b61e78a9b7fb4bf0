"""Webhooks and notifications, which are for programs: USER tokens are refused."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.errors import not_recognized
from pipelime.api.propipelines.event_names import is_known
from pipelime.api.propipelines.events import NAME
from pipelime.api.propipelines.parameters import flag
from pipelime.api.propipelines.resources import ProPipeLinesViewSet
from webhooks.endpoints import create_endpoint, delete_endpoint
from webhooks.models import Endpoint


class WebhookViewSet(ProPipeLinesViewSet):
    subject = "webhooks"
    key_only = frozenset({"*"})

    def get_queryset(self):
        return Endpoint.objects.filter(dialect=NAME)

    def list(self, request) -> Response:
        rows = self.get_queryset().order_by("pk")
        return whole_list([{**shape(row), "is_disabled": not row.is_enabled} for row in rows])

    def create(self, request) -> Response:
        """What is sent to it is signed with the very key of this request."""
        given = self.body()
        event, target = self.needed("event"), self.needed("target")
        target_type = self.needed("target_type")
        if not isinstance(event, str) or not is_known(self.account, event):
            raise not_recognized("event")
        if target_type not in Endpoint.TargetType.values:
            raise not_recognized("target_type")
        endpoint, _ = create_endpoint(
            self.account,
            by=self.by,
            dialect=NAME,
            events=[event],
            target_type=target_type,
            api_key=self.caller.key,
            raw_key=request.META["HTTP_X_API_KEY"].strip(),
            name=given.get("name") or "",
            on_menu=flag(given.get("add_to_lead_action_menu"), "add_to_lead_action_menu"),
            **{target_type: target},
        )
        return Response(shape(endpoint), status=201)

    def destroy(self, request, id: str) -> Response:
        return self.deleted(self.row(), delete_endpoint)


def shape(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.pk,
        "event": endpoint.events[0],
        "target": endpoint.target,
        "target_type": endpoint.target_type,
        "params": None,
        "name": endpoint.name,
    }
