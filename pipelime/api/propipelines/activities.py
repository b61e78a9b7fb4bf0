"""Activities: the kinds of things that people do for a lead, and their outcomes."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from crm.models import ActivityType
from crm.ordering import BY_POSITION
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.resources import ProPipeLinesViewSet


class ActivityViewSet(ProPipeLinesViewSet):
    subject = "fields"

    def get_queryset(self):
        return ActivityType.objects.order_by(*BY_POSITION)

    def list(self, request) -> Response:
        return whole_list([activity_shape(activity) for activity in self.get_queryset()])


def activity_shape(activity: ActivityType) -> dict[str, Any]:
    return {
        "id": activity.pk,
        "name": activity.name,
        "icon": activity.icon or None,
        "parent_id": activity.parent_id,
        "color": activity.color or None,
        "kind": activity.kind,
        "is_disabled": activity.is_disabled,
        "position": activity.position,
    }
