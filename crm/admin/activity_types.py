"""Kinds of activities in the workspace, with the outcomes that each may have."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from crm.activities import create_activity_type, delete_activity_type, update_activity_type
from crm.admin.parts import PartsAdmin
from crm.models import ActivityType
from pipelime.backoffice.admin import WorkspaceInline, account_of


class OutcomeInline(WorkspaceInline):
    model = ActivityType
    fk_name = "parent"
    fields = ("name", "position", "is_disabled")
    verbose_name = "outcome"
    verbose_name_plural = "outcomes"
    hide_title = True

    def get_extra(self, request, obj=None, **kwargs):
        return 3 if obj is None else 0


@admin.register(ActivityType)
class ActivityTypeAdmin(PartsAdmin):
    admins_only = True
    list_display = ("name", "kind", "shown_outcomes", "is_disabled")
    list_filter = ("kind",)
    search_fields = ("name__istartswith",)
    ordering = ("position", "id")
    fields = ("name", "kind", "icon", "color", "position", "is_disabled")
    add_fieldsets = ((None, {"fields": ("name", "kind", "icon", "color")}),)
    inlines = (OutcomeInline,)

    def get_queryset(self, request):
        return super().get_queryset(request).filter(parent=None).prefetch_related("outcomes")

    @display(description="outcomes")
    def shown_outcomes(self, kind: ActivityType) -> str:
        return ", ".join(outcome.name for outcome in kind.outcomes.all()) or "–"

    def create(self, request, values):
        return create_activity_type(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        return update_activity_type(row, by=request.user, **values)

    def remove(self, request, row):
        delete_activity_type(row, by=request.user)

    def add_part(self, request, owner, values):
        values.pop("is_disabled", None)
        create_activity_type(owner.account, by=request.user, parent=owner, **values)

    def change_part(self, request, part, values):
        update_activity_type(part, by=request.user, **values)

    def remove_part(self, request, part):
        delete_activity_type(part, by=request.user)
