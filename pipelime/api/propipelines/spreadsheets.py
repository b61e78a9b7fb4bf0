"""Prospecting lists, which this API calls spreadsheets."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response

from crm.models import Prospect, ProspectingList
from crm.prospecting import assign_list, create_list
from crm.tags import names_of
from pipelime.accounts.models import User
from pipelime.api.bodies import load
from pipelime.api.propipelines.answers import page
from pipelime.api.propipelines.commenting import comment_on, comment_shape
from pipelime.api.propipelines.errors import missing
from pipelime.api.propipelines.lead_facts import colleague
from pipelime.api.propipelines.parameters import direction, listed, moment, person, sought
from pipelime.api.propipelines.people import user_shape
from pipelime.api.propipelines.resources import ProPipeLinesViewSet
from pipelime.errors import Invalid
from pipelime.permalinks import permalink

Privacy = ProspectingList.Privacy
NUMBERS = {Privacy.EVERYONE: 0, Privacy.DEFAULT: 1}


class SpreadsheetViewSet(ProPipeLinesViewSet):
    subject = "prospecting-lists"

    def get_queryset(self):
        return seen_lists(self).with_parts()

    def list(self, request) -> Response:
        rows = self.get_queryset().order_by(f"{direction(self.given, 'desc')}pk")
        if title := sought(self.given, "title"):
            rows = rows.filter(title=title)
        return page(rows, self.given, listed_shapes)

    def create(self, request) -> Response:
        given = self.body()
        title, content = self.needed("title"), table_in(self.needed("content"))
        columns, *rows = content or [[]]
        made = create_list(
            self.account,
            by=self.by,
            title=title,
            columns=columns,
            rows=rows,
            description=given.get("description"),
            tags=listed(given.get("tags")),
            owner=self.owner(given),
            privacy=Privacy.EVERYONE if given.get("privacy") == "off" else Privacy.DEFAULT,
        )
        return Response({**spreadsheet_shape(made), "spreadsheet_rows": rows_shape(made)}, status=201)

    def retrieve(self, request, id: str) -> Response:
        found = self.row()
        return Response({**spreadsheet_shape(found), "spreadsheet_rows": counted_rows_shape(found)})

    def assign(self, request, id: str) -> Response:
        found = self.row()
        user = colleague(self.needed("user_id"))
        return Response(columned_shape(assign_list(found, user, by=self.by)))

    def comment(self, request, id: str) -> Response:
        return Response(comment_shape(comment_on(self, self.row())), status=201)

    def owner(self, given: dict[str, Any]) -> User | None:
        """Whoever is logged in; for a program whom it names, or else the first administrator."""
        if self.caller.user is not None:
            return self.caller.user
        named = given.get("user_id")
        if named in (None, "") and given.get("privacy") not in (None, "", "default"):
            raise missing("user_id")
        user = person(named, among=User.objects.active()) or self.by
        return user if isinstance(user, User) else None


def seen_lists(view: ProPipeLinesViewSet):
    return ProspectingList.objects.alive().visible_to(view.caller.user)


def table_in(content: Any) -> list[Any]:
    """Rows of cells, as JSON or as a text that holds JSON."""
    table = load_text(content) if isinstance(content, str) else content
    if not isinstance(table, list):
        raise Invalid(
            'content is a list of rows such as [["Company", "Email"], ["Acme", "a@b.c"]]', field="content"
        )
    return table


def load_text(content: str) -> Any:
    try:
        return load(content.encode())
    except exceptions.ParseError as error:
        raise exceptions.ParseError(f"content: {error.detail}") from None


def listed_shapes(found: list[ProspectingList]) -> list[dict[str, Any]]:
    # A query of its own: in theirs, the rows of every list would be counted before the page is cut.
    shown = ProspectingList.objects.filter(pk__in=[row.pk for row in found]).order_by()
    left = dict(shown.with_counts().values_list("pk", "to_qualify_count"))
    return [
        {
            **columned_shape(row),
            "to_qualify_row_count": left.get(row.pk, 0),
            "total_row_count": row.row_count,
        }
        for row in found
    ]


def columned_shape(prospecting_list: ProspectingList) -> dict[str, Any]:
    return {**spreadsheet_shape(prospecting_list), "column_count": len(prospecting_list.columns)}


def spreadsheet_shape(prospecting_list: ProspectingList) -> dict[str, Any]:
    return {
        "id": prospecting_list.pk,
        "title": prospecting_list.title,
        "description": prospecting_list.description,
        "column_names": prospecting_list.columns,
        "privacy": NUMBERS[Privacy(prospecting_list.privacy)],
        "updated_at": moment(prospecting_list.updated_at),
        "created_at": moment(prospecting_list.created_at),
        "tags": names_of(prospecting_list.tags.all()),
        "permalink": permalink("spreadsheets", prospecting_list.pk),
        "is_archived": prospecting_list.is_archived,
        "user": user_shape(prospecting_list.owner),
    }


def rows_shape(prospecting_list: ProspectingList) -> list[dict[str, Any]]:
    return [row_shape(prospect) for prospect in prospecting_list.prospects.all()]


def counted_rows_shape(prospecting_list: ProspectingList) -> list[dict[str, Any]]:
    return [
        {**row_shape(prospect), "comment_count": prospect.comment_count}
        for prospect in prospecting_list.prospects.all()
    ]


def row_shape(prospect: Prospect) -> dict[str, Any]:
    return {
        "id": prospect.pk,
        "lead_id": prospect.lead_id,
        "is_active": prospect.is_active,
        "content": prospect.content,
    }
