"""Prospecting lists in the workspace, and what is set up of them: columns when a list is made, rows later."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from crm.admin.records import RecordAdmin, TaggedForm
from crm.models import Prospect, ProspectingList
from crm.prospecting import create_list, delete_list, update_list
from pipelime.backoffice.admin import Button, Link, WorkspaceInline, account_of
from pipelime.backoffice.display import linked

CELLS_SHOWN = 4
COLUMNS_SHOWN = 5  # what fits beside each other; a row's page shows them all


class ProspectingListForm(TaggedForm):
    columns = forms.CharField(
        help_text="One name a line. The first is what a row is called, and the title of the lead it becomes.",
        widget=UnfoldAdminTextareaWidget({"rows": 5}),
        required=False,
    )

    def clean_columns(self) -> list[str]:
        return [name for line in self.cleaned_data["columns"].splitlines() if (name := line.strip())]


class Archived(admin.SimpleListFilter):
    """Lists that were put away are out of the way until somebody asks for them."""

    title = "put away"
    parameter_name = "archived"

    def lookups(self, request, model_admin):
        return [("yes", "Put away"), ("all", "All")]

    def choices(self, changelist):
        first, *others = super().choices(changelist)
        return [first | {"display": "In use"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != "yes")


class ProspectInline(WorkspaceInline):
    """Rows are changed on their own pages, where each cell has its name."""

    model = Prospect
    can_add = can_change = can_delete = False
    verbose_name_plural = "rows"
    per_page = 25
    hide_title = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("lead")

    def get_fields(self, request, obj=None):
        return self.get_readonly_fields(request, obj)

    def get_readonly_fields(self, request, obj=None):
        """The first columns under their own names."""
        names = obj.columns[:COLUMNS_SHOWN] if obj is not None else []
        return [*(column(place, name) for place, name in enumerate(names)), "is_active", "lead"]


@lru_cache(maxsize=500)  # the admin asks twice, and compares what it gets
def column(place: int, name: str) -> Callable[[Prospect], str]:
    @display(description=name)
    def cell(prospect: Prospect) -> str:
        text = prospect.content[place] if place < len(prospect.content) else ""
        return text if place else linked(prospect, text or prospect)

    return cell


@admin.register(ProspectingList)
class ProspectingListAdmin(RecordAdmin):
    form = ProspectingListForm
    list_display = ("shown_title", "owner", "row_count", "shown_tags", "shown_updated")
    list_filter = (Archived, ("owner", AutocompleteSelectFilter), ("tags", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("owner",)
    search_fields = ("title__icontains",)
    ordering = ("-id",)
    autocomplete_fields = ("owner",)
    fields = ("title", "description", ("owner", "privacy"), "tags", "shown_columns")
    add_fieldsets = ((None, {"fields": ("title", "columns", "description", ("owner", "privacy"), "tags")}),)
    readonly_fields = ("shown_columns",)
    inlines = (ProspectInline, *RecordAdmin.inlines)
    buttons = (
        Button("archive", "Put away", "archive", lambda row: not row.is_archived),
        Button("unarchive", "Use again", "unarchive", lambda row: row.is_archived),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("tags")

    def get_changeform_initial_data(self, request):
        own = {"owner": request.user.pk} if request.user.account_id else {}
        return own | super().get_changeform_initial_data(request)

    def get_inlines(self, request, obj):
        return self.inlines if obj is not None else ()

    @display(description="list", header=True)
    def shown_title(self, row: ProspectingList):
        return row.title, ", ".join(row.columns)

    @display(description="columns")
    def shown_columns(self, row: ProspectingList) -> str:
        return ", ".join(row.columns)

    @display(description="tags")
    def shown_tags(self, row: ProspectingList) -> str:
        return ", ".join(tag.name for tag in row.tags.all()) or "–"

    def links(self, request, row):
        add = reverse("admin:crm_prospect_add", query={"prospecting_list": row.pk})
        return [Link("Add a row", add, "add")]

    def create(self, request, values):
        return create_list(account_of(request), by=request.user, **values)

    def change(self, request, row, values: dict[str, Any]):
        return update_list(row, by=request.user, **values)

    def remove(self, request, row):
        delete_list(row, by=request.user)

    def press_archive(self, request, row) -> str:
        update_list(row, by=request.user, is_archived=True)
        return f"{row} is put away."

    def press_unarchive(self, request, row) -> str:
        update_list(row, by=request.user, is_archived=False)
        return f"{row} is in use again."


def cells_of(prospect: Prospect) -> str:
    said = [cell for cell in prospect.content if cell.strip()]
    return " · ".join(said[:CELLS_SHOWN]) + (" …" if len(said) > CELLS_SHOWN else "")
