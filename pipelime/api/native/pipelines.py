"""Pipelines and their steps."""

from __future__ import annotations

from django_filters import UUIDFilter
from rest_framework import serializers

from crm.models import Pipeline, Step
from crm.pipelines import (
    create_pipeline,
    create_step,
    delete_pipeline,
    delete_step,
    update_pipeline,
    update_step,
)
from pipelime.api.http import WRITES
from pipelime.api.native.filters import CheckedFilters
from pipelime.api.native.inputs import Input, RowField
from pipelime.api.native.references import NamedRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Shaped


class StepInPipeline(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    position = serializers.IntegerField()


class PipelineSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    is_default = serializers.BooleanField()
    position = serializers.IntegerField()
    steps = StepInPipeline(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NewPipelineInput(Input):
    name = serializers.CharField(max_length=150)
    is_default = serializers.BooleanField(required=False)
    steps = serializers.ListField(
        child=serializers.CharField(max_length=150),
        required=False,
        max_length=100,
        help_text="Names, in order.",
    )


class PipelineInput(Input):
    name = serializers.CharField(max_length=150)
    is_default = serializers.BooleanField()
    position = serializers.IntegerField(min_value=1, max_value=10_000)


class PipelineViewSet(Lists, Shows, NativeViewSet):
    """Ways of selling. One of them is the default, where new leads begin."""

    subject = "pipelines"
    admin_methods = WRITES
    serializer_class = PipelineSerializer
    input_class = PipelineInput
    inputs = {"create": NewPipelineInput}
    orders = {"id": "id", "position": "position", "name": "name"}
    default_order = "position"

    def get_queryset(self):
        return Pipeline.objects.all()

    def create(self, request):
        return self.created(create_pipeline(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        return self.answer(update_pipeline(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        """Refused while leads are in it, deleted ones too."""
        delete_pipeline(self.row(), by=self.by)
        return gone()


class StepSerializer(StepInPipeline):
    pipeline = NamedRef()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NewStepInput(Input):
    pipeline = RowField(Pipeline.objects.all, "pipeline")
    name = serializers.CharField(max_length=150)
    position = serializers.IntegerField(min_value=1, max_value=10_000, required=False)


class StepInput(Input):
    name = serializers.CharField(max_length=150)
    position = serializers.IntegerField(min_value=1, max_value=10_000)


class StepFilter(CheckedFilters):
    pipeline = UUIDFilter(field_name="pipeline__uid")


class StepViewSet(Lists, Shows, NativeViewSet):
    """The stages of pipelines, in order."""

    subject = "pipelines"
    admin_methods = WRITES
    serializer_class = StepSerializer
    input_class = StepInput
    inputs = {"create": NewStepInput}
    filterset_class = StepFilter
    orders = {"id": "id", "position": "position", "name": "name"}
    default_order = "position"

    def get_queryset(self):
        return Step.objects.all()

    def create(self, request):
        facts = self.body()
        return self.created(create_step(facts.pop("pipeline"), by=self.by, **facts))

    def partial_update(self, request, id):
        return self.answer(
            update_step(self.row(Step.objects.select_related("pipeline")), by=self.by, **self.body())
        )

    def destroy(self, request, id):
        """Refused while leads are in it, deleted ones too."""
        delete_step(self.row(Step.objects.select_related("pipeline")), by=self.by)
        return gone()
