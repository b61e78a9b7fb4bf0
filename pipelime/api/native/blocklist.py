"""The blocklist: addresses and domains that are never written to."""

from __future__ import annotations

import csv
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django_filters import CharFilter, ChoiceFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from outreach.blocking import block, block_many, unblock
from outreach.models import BlocklistEntry
from pipelime.api.bodies import JSONParser, TooLarge, UploadParser
from pipelime.api.native.filters import CheckedFilters
from pipelime.api.native.inputs import Input
from pipelime.api.native.resources import Lists, NativeViewSet, gone
from pipelime.api.native.shapes import Shaped

MOST_VALUES = 10_000
MOST_BYTES = 2_000_000
LONGEST_LINE = 1_000
HEADINGS = {"value", "email", "e-mail", "address", "domain"}


class BlocklistSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    value = serializers.CharField()
    kind = serializers.ChoiceField(choices=BlocklistEntry.Kind.choices)
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class BlocklistInput(Input):
    value = serializers.CharField(max_length=320, help_text="name@example.com or example.com.")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class BulkInput(Input):
    """`values`, or a CSV file whose first column holds them."""

    values = serializers.ListField(
        child=serializers.CharField(allow_blank=True), required=False, max_length=MOST_VALUES
    )
    file = serializers.FileField(required=False, help_text="text/csv, one value a line.")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        file = attrs.pop("file", None)
        if (file is None) == ("values" not in attrs):
            raise serializers.ValidationError({"values": ["Send either values or a file"]})
        if file is not None:
            attrs["values"] = values_of(file)
        return attrs


def values_of(file: UploadedFile) -> list[str]:
    values = first_cells(file.read(MOST_BYTES + 1))
    if len(values) > MOST_VALUES:
        raise serializers.ValidationError(
            {"file": [f"holds {len(values)} lines; at most {MOST_VALUES} at once"]}
        )
    return values


def first_cells(raw: bytes) -> list[str]:
    """The first cell of every line, blank ones and a heading too, so that line numbers are the file's."""
    if len(raw) > MOST_BYTES:
        raise TooLarge(f"The file is larger than {MOST_BYTES} bytes")
    lines = decoded(raw).splitlines()
    delimiter = next((sign for sign in ("\t", ";") if lines and sign in lines[0]), ",")
    values = [
        next(iter(next(csv.reader([line[:LONGEST_LINE]], delimiter=delimiter), [])), "").strip()
        for line in lines
    ]
    if values and values[0].casefold() in HEADINGS:
        values[0] = ""
    return values


def decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


class CsvParser(BaseParser):
    """A body of text/csv, as the bulk of values that it is."""

    media_type = "text/csv"

    def parse(self, stream, media_type=None, parser_context=None) -> dict[str, Any]:
        return {"values": first_cells(stream.read(MOST_BYTES + 1))}


BULK_BODIES = {
    "application/json": BulkInput,
    "multipart/form-data": BulkInput,
    CsvParser.media_type: OpenApiTypes.STR,
}


class RefusedSerializer(serializers.Serializer):
    line = serializers.IntegerField()
    value = serializers.CharField()
    reason = serializers.CharField()


class BulkSerializer(serializers.Serializer):
    """Every value is judged by itself: the good ones are blocked, the others named."""

    added = serializers.IntegerField()
    known = serializers.IntegerField(help_text="On the blocklist already.")
    invalid = RefusedSerializer(many=True)


class BlocklistFilter(CheckedFilters):
    kind = ChoiceFilter(choices=BlocklistEntry.Kind.choices)
    value = CharFilter(field_name="value", lookup_expr="iexact")
    search = CharFilter(field_name="value", lookup_expr="icontains", label="Part of the value.")


class BlocklistViewSet(Lists, NativeViewSet):
    """Addresses and domains that are never written to, whatever is imported or enrolled."""

    subject = "blocklist"
    parser_classes = [JSONParser, UploadParser, CsvParser]
    serializer_class = BlocklistSerializer
    input_class = BlocklistInput
    inputs = {"bulk": BulkInput}
    filterset_class = BlocklistFilter
    orders = {"id": "id", "value": "value", "created_at": "created_at"}

    def get_queryset(self):
        return BlocklistEntry.objects.all()

    def create(self, request):
        return self.created(block(self.account, by=self.by, **self.body()))

    def destroy(self, request, id):
        unblock(self.row(), by=self.by)
        return gone()

    @extend_schema(request=BULK_BODIES, responses=BulkSerializer)
    @action(detail=False, methods=["post"])
    def bulk(self, request):
        """Many at once: {"values": […]}, a body of text/csv, or a file."""
        given = self.body()
        if not any(value.strip() for value in given["values"]):
            raise exceptions.ValidationError({"values": ["holds no address and no domain"]})
        result = block_many(self.account, given.pop("values"), by=self.by, **given)
        invalid = [{"line": line, "value": value, "reason": why} for line, value, why in result.invalid]
        return Response({"added": result.added, "known": result.known, "invalid": invalid})
