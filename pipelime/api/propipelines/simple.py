"""The simplified API: GETs that change a lead, for tools that can ask for nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.response import Response

from crm.activities import log_activity
from crm.comments import create_comment
from crm.leads import duplicate_lead
from crm.models import Lead, Step
from crm.tags import names_of
from pipelime.api.propipelines.lead_facts import activity_type, colleague, step_named
from pipelime.api.propipelines.lead_filters import seen_leads
from pipelime.api.propipelines.lead_shapes import single
from pipelime.api.propipelines.leads import changed
from pipelime.api.propipelines.parameters import number
from pipelime.api.propipelines.resources import ProPipeLinesViewSet
from pipelime.changing import reread
from pipelime.errors import Invalid

ACTIONS = (
    "add_tag", "add_activity", "append_to_description", "standby", "todo", "won", "lost", "cancelled",
    "move_to_step", "next_step", "duplicate_lead", "assign",
)  # fmt: skip
LONGEST_STANDBY = 36500  # days


class SimpleLeadViewSet(ProPipeLinesViewSet):
    subject = "leads"
    http_method_names = ["get"]  # a HEAD would change the lead and show nothing
    key_only = frozenset({"*"})
    writing = frozenset(ACTIONS)

    def get_queryset(self):
        return seen_leads(self.caller).with_parts()

    def asked(self, name: str) -> str:
        return self.needed(name, self.given)

    def changed(self, lead: Lead, **changes: Any) -> Response:
        return Response(single(changed(self, lead, **changes)))

    def add_tag(self, request, id: str) -> Response:
        lead, tag = self.row(), self.asked("tag")
        with transaction.atomic():
            reread(lead)  # two tags at once: both stay
            changed(self, lead, tags=[*names_of(lead.tags.all()), tag])
        return Response(single(lead))

    def append_to_description(self, request, id: str) -> Response:
        lead, text = self.row(), self.asked("to_append")
        with transaction.atomic():
            reread(lead)
            changed(self, lead, description="\n".join(filter(None, [lead.description, text])))
        return Response(single(lead))

    def add_activity(self, request, id: str) -> Response:
        """With words it is a comment that names its activity, without any the activity alone."""
        lead, content = self.row(), self.given.get("content", "").strip()
        type, user = activity_type(self.asked("activity_id"), "activity_id"), colleague(self.asked("user_id"))  # noqa: A001
        if content:
            create_comment(lead, by=self.by, content=content, author=user, activity_type=type)
        else:
            log_activity(lead, by=self.by, type=type, user=user)
        return Response(single(lead))

    def standby(self, request, id: str) -> Response:
        lead, _ = self.row(), self.asked("days")
        days = number(self.given, "days", default=1, least=1, most=LONGEST_STANDBY)
        changes: dict[str, Any] = {
            "status": Lead.Status.STANDBY,
            "remind_date": self.today() + timedelta(days),
        }
        if given := self.given.get("activity_id"):
            changes["reminder_activity"] = activity_type(given, "activity_id")
        return self.changed(lead, **changes)

    def today(self):
        return timezone.now().astimezone(self.account.zone).date()

    def todo(self, request, id: str) -> Response:
        return self.changed(self.row(), status=Lead.Status.TODO)

    def won(self, request, id: str) -> Response:
        return self.changed(self.row(), status=Lead.Status.WON)

    def lost(self, request, id: str) -> Response:
        return self.changed(self.row(), status=Lead.Status.LOST)

    def cancelled(self, request, id: str) -> Response:
        return self.changed(self.row(), status=Lead.Status.CANCELLED)

    def move_to_step(self, request, id: str) -> Response:
        lead = self.row()
        return self.changed(lead, step=step_named(self.step_asked() or self.asked("step_id"), lead))

    def next_step(self, request, id: str) -> Response:
        lead = self.row()
        return self.changed(lead, step=after(lead.step))

    def duplicate_lead(self, request, id: str) -> Response:
        lead, step = self.row(), self.step_asked()
        return Response(
            single(duplicate_lead(lead, by=self.by, step=step_named(step, lead) if step else None))
        )

    def assign(self, request, id: str) -> Response:
        lead = self.row()
        return self.changed(lead, owner=colleague(self.asked("user_id")))

    def step_asked(self) -> str:
        return self.given.get("step_id") or self.given.get("step") or ""


def after(step: Step) -> Step:
    steps = list(Step.objects.filter(pipeline=step.pipeline_id).order_by("position", "pk"))
    place = steps.index(step)
    if place + 1 == len(steps):
        raise Invalid(f"{step} is the last step of its pipeline", field="step")
    return steps[place + 1]
