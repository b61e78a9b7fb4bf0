"""Exports: contacts and leads as files, streamed, narrowed like the lists they come from."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from crm.exporting import stream
from pipelime.api.http import READS
from pipelime.api.native.contacts import ContactViewSet
from pipelime.api.native.leads import LeadViewSet
from pipelime.api.native.pages import refused
from pipelime.api.native.resources import Downloads

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORMAT = OpenApiParameter("format", {"type": "string", "enum": [*TYPES], "default": "csv"})
FILES = {(200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind in TYPES.values()}


class Export(Downloads):
    """A list as a file. It needs the right to export and the right to read what is exported."""

    pagination_class = None
    kind = ""

    def needed_scopes(self) -> list[str]:
        right = "read" if self.request.method in READS else "write"
        return [f"exports:{right}", f"{self.subject}:{right}"]

    def known_parameters(self) -> list[str]:
        return ["format", "search", *self.filterset_class.base_filters]

    def export(self, request) -> StreamingHttpResponse:
        name = request.query_params.get("format", "csv")
        if name not in TYPES:
            raise refused("format", f"{name!r} is no format; use one of {', '.join(TYPES)}")
        rows = self.narrowed(self.get_queryset())
        chunks = stream(self.kind, name, rows, by=self.by)
        return self.file(chunks, f"{self.kind}-{timezone.now():%Y-%m-%d}.{name}", TYPES[name])


class ContactExport(Export, ContactViewSet):
    kind = "contacts"

    @extend_schema(operation_id="export_contacts", parameters=[FORMAT], responses=FILES)
    def list(self, request):
        """All matching contacts as a file."""
        return self.export(request)


class LeadExport(Export, LeadViewSet):
    kind = "leads"

    @extend_schema(operation_id="export_leads", parameters=[FORMAT], responses=FILES)
    def list(self, request):
        """All matching leads as a file."""
        return self.export(request)
