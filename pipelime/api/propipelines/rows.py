"""Prospects, which this API calls rows of a spreadsheet."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from crm.calls import called_with
from crm.models import Prospect
from crm.prospecting import MOST_AT_ONCE, add_prospects, delete_prospect, lead_from_prospect, update_prospect
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.commenting import comment_on, comment_shape
from pipelime.api.propipelines.lead_shapes import single
from pipelime.api.propipelines.resources import ProPipeLinesViewSet, as_id
from pipelime.api.propipelines.spreadsheets import row_shape, seen_lists, table_in


class RowViewSet(ProPipeLinesViewSet):
    subject = "prospecting-lists"

    def get_queryset(self):
        seen = Prospect.objects.alive().visible_to(self.caller.user)
        return seen.select_related("prospecting_list__owner", "lead")

    def prospect(self) -> Prospect:
        """The row that the path names, in the list that it names."""
        number = as_id(self.kwargs["spreadsheet_id"])
        return self.row(self.get_queryset().filter(prospecting_list=number))

    def create(self, request, spreadsheet_id: str) -> Response:
        prospecting_list = self.row(seen_lists(self), spreadsheet_id)
        rows = table_in(self.content())
        made = add_prospects(prospecting_list, rows, by=self.by, most=MOST_AT_ONCE)
        return Response([row_shape(prospect) for prospect in made], status=201)

    def update(self, request, spreadsheet_id: str, id: str) -> Response:
        prospect = self.prospect()
        update_prospect(prospect, by=self.by, content=table_in(self.content()))
        return Response(row_shape(prospect))

    def destroy(self, request, spreadsheet_id: str, id: str) -> Response:
        return self.deleted(self.prospect(), delete_prospect)

    def create_lead(self, request, spreadsheet_id: str, id: str) -> Response:
        """Whose lead it is: whoever is logged in, else whose list it was."""
        lead = lead_from_prospect(self.prospect(), by=self.by, owner=self.caller.user)
        return Response(single(lead), status=201)

    def comment(self, request, spreadsheet_id: str, id: str) -> Response:
        return Response(comment_shape(comment_on(self, self.prospect())), status=201)

    def called_from(self, request) -> Response:
        phone = self.needed("phone_number", self.given)
        found = called_with(phone).visible_to(self.caller.user).order_by("pk")
        return whole_list([called_shape(prospect) for prospect in found])

    def content(self) -> Any:
        """Under its name, or as the whole body."""
        if isinstance(self.request.data, list):
            return self.request.data
        return self.needed("content")


def called_shape(prospect: Prospect) -> dict[str, Any]:
    return {**row_shape(prospect), "spreadsheet_id": prospect.prospecting_list_id}
