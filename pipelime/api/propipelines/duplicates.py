"""Leads that look like another one."""

from __future__ import annotations

from rest_framework.response import Response

from crm.duplicates import duplicates_of
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.lead_filters import seen_leads
from pipelime.api.propipelines.lead_shapes import singles
from pipelime.api.propipelines.resources import ProPipeLinesViewSet


class DuplicateViewSet(ProPipeLinesViewSet):
    subject = "leads"

    def get_queryset(self):
        return seen_leads(self.caller)

    def list(self, request, id: str) -> Response:
        found = duplicates_of(self.row(), seen_by=self.caller.user)
        shapes = singles(duplicate.lead for duplicate in found)
        return whole_list(
            [
                {"lead": shape, "matches": [list(match) for match in duplicate.matches]}
                for shape, duplicate in zip(shapes, found, strict=True)
            ]
        )
