"""Follow-ups of a lead, with how far their tasks are."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from crm.models import FollowUp
from crm.tags import names_of
from pipelime.api.propipelines.answers import page
from pipelime.api.propipelines.errors import not_recognized
from pipelime.api.propipelines.lead_filters import seen_leads
from pipelime.api.propipelines.parameters import moment
from pipelime.api.propipelines.resources import ProPipeLinesViewSet, as_id


class FollowUpViewSet(ProPipeLinesViewSet):
    subject = "follow-ups"

    def get_queryset(self):
        found = FollowUp.objects.filter(lead__in=seen_leads(self.caller))
        return found.prefetch_related("tasks", "tags").order_by("pk")

    def list(self, request) -> Response:
        follow_ups = self.get_queryset()
        if given := self.given.get("lead_id"):
            if not (number := as_id(given)):
                raise not_recognized("lead_id")
            follow_ups = follow_ups.filter(lead=number)
        return page(follow_ups, self.given, lambda rows: [follow_up_shape(row) for row in rows])


def follow_up_shape(follow_up: FollowUp) -> dict[str, Any]:
    """Prefetch `tasks` and `tags`."""
    tasks = list(follow_up.tasks.all())
    left = [task for task in tasks if task.status != FollowUp.Status.DONE]
    return {
        "id": follow_up.pk,
        "title": follow_up.title,
        "description": follow_up.description,
        "lead_id": follow_up.lead_id,
        "user_id": follow_up.owner_id,
        "status": follow_up.status,
        "tags": names_of(follow_up.tags.all()),
        "tasks_count": len(tasks),
        "tasks_done_count": len(tasks) - len(left),
        "next_action_at": moment(min((task.due_at for task in left if task.due_at), default=None)),
        "created_at": moment(follow_up.created_at),
        "updated_at": moment(follow_up.updated_at),
    }
