"""Steps and pipelines, which people change in the browser."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from crm.models import Pipeline, Step
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.lead_facts import step_named
from pipelime.api.propipelines.parameters import direction, moment
from pipelime.api.propipelines.resources import ProPipeLinesViewSet


class StepViewSet(ProPipeLinesViewSet):
    subject = "pipelines"

    def get_queryset(self):
        return Step.objects.select_related("pipeline")

    def list(self, request) -> Response:
        way = direction(self.given, "asc")
        columns = ("pipeline__position", "pipeline_id", "position", "pk")
        rows = self.get_queryset().order_by(*(f"{way}{column}" for column in columns))
        return whole_list([step_shape(step) for step in rows])

    def retrieve(self, request, id: str) -> Response:
        """By its id, or by its name: of two with one name, the default pipeline's."""
        return Response(step_shape(step_named(id)))


class PipelineViewSet(ProPipeLinesViewSet):
    subject = "pipelines"

    def get_queryset(self):
        return Pipeline.objects.all()

    def list(self, request) -> Response:
        return whole_list([pipeline_shape(pipeline) for pipeline in self.get_queryset()])


def pipeline_shape(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "id": pipeline.pk,
        "name": pipeline.name,
        "is_default": pipeline.is_default,
        "created_at": moment(pipeline.created_at),
        "updated_at": moment(pipeline.updated_at),
    }


def step_shape(step: Step) -> dict[str, Any]:
    return {
        "id": step.pk,
        "name": step.name,
        "position": step.position,
        "created_at": moment(step.created_at),
        "updated_at": moment(step.updated_at),
        "pipeline_id": step.pipeline_id,
        "pipeline": pipeline_shape(step.pipeline),
    }
