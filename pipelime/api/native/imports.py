"""Imports: uploaded files on their way into the CRM, from upload to undo."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django_filters import ChoiceFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action

from crm.importing.jobs import rejects, run_import, undo_import
from crm.models import ImportJob
from pipelime.api.native.filters import CheckedFilters
from pipelime.api.native.inputs import Input, Nothing, ObjectField
from pipelime.api.native.resources import Downloads, Lists, NativeViewSet, Shows
from pipelime.api.native.shapes import Computed, Shaped


def rejects_url(uid: UUID, rejected: int) -> str | None:
    return f"{settings.PIPELIME_URL}/api/imports/{uid}/rejects" if rejected else None


def progress(status: str, processed: int, total: int) -> float:
    return ImportJob(status=status, processed=processed, total=total).progress


class ImportSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    kind = serializers.ChoiceField(choices=ImportJob.Kind.choices)
    status = serializers.ChoiceField(choices=ImportJob.Status.choices)
    dry_run = serializers.BooleanField()
    on_duplicate = serializers.ChoiceField(choices=ImportJob.OnDuplicate.choices)
    file_name = serializers.CharField()
    total = serializers.IntegerField()
    processed = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()
    rejects_url = Computed(rejects_url, "uid", "rejected", kind=serializers.CharField(allow_null=True))
    progress = Computed(progress, "status", "processed", "total", kind=serializers.FloatField())
    mapping = ObjectField()
    header = serializers.ListField(child=serializers.CharField())
    encoding = serializers.CharField()
    delimiter = serializers.CharField()
    kept = serializers.ListField(child=serializers.JSONField(), help_text="What an undo left, and why.")
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


@extend_schema_field(OpenApiTypes.BINARY)
class Upload(serializers.FileField):
    """A file, which the documentation's page lets people choose."""


class UploadInput(Input):
    file = Upload(help_text="CSV, TSV or XLSX.")
    mapping = serializers.JSONField(
        required=False, help_text="Header → field, as JSON; without it the proposal is used."
    )
    on_duplicate = serializers.ChoiceField(choices=ImportJob.OnDuplicate.choices, default="update")
    dry_run = serializers.BooleanField(default=False)

    def validate_mapping(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise serializers.ValidationError('must be an object such as {"E-mail": "email"}')
        return value


class RunInput(Input):
    mapping = ObjectField(required=False)
    on_duplicate = serializers.ChoiceField(choices=ImportJob.OnDuplicate.choices, required=False)
    encoding = serializers.CharField(max_length=40, required=False)
    delimiter = serializers.CharField(max_length=10, required=False, trim_whitespace=False)


class ImportFilter(CheckedFilters):
    status = ChoiceFilter(choices=ImportJob.Status.choices)
    kind = ChoiceFilter(choices=ImportJob.Kind.choices)


class ImportViewSet(Lists, Shows, NativeViewSet):
    """Files being imported. A dry run changes nothing until it is run."""

    subject = "imports"
    serializer_class = ImportSerializer
    inputs = {"run": RunInput, "undo": Nothing}
    filterset_class = ImportFilter

    def get_queryset(self):
        return ImportJob.objects.all()

    @extend_schema(responses={202: ImportSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request, id):
        return self.answer(run_import(self.row(), by=self.by, **self.body()), 202)

    @extend_schema(responses={202: ImportSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request, id):
        self.body()
        return self.answer(undo_import(self.row(), by=self.by), 202)


class RejectsViewSet(Downloads, NativeViewSet):
    """The rows of an import that were refused, each with its reason."""

    subject = "imports"
    serializer_class = ImportSerializer

    def get_queryset(self):
        return ImportJob.objects.all()

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def rejects(self, request, id):
        job = self.row()
        return self.file(rejects(job), f"rejects-{job.uid}.csv", "text/csv; charset=utf-8")
