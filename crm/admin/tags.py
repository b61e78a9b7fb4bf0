"""Tags in the workspace: those in use, and the predefined ones in their categories."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display

from crm.admin.parts import PartsAdmin
from crm.models import Tag, TagCategory
from crm.tags import (
    create_category,
    create_predefined_tag,
    delete_category,
    delete_tag,
    update_category,
    update_tag,
)
from pipelime.backoffice.admin import WorkspaceAdmin, WorkspaceInline, account_of


@admin.register(Tag)
class TagAdmin(WorkspaceAdmin):
    """Free tags come with the records that carry them, predefined ones are added to their category."""

    admins_only = True
    can_add = False
    list_display = ("name", "category", "created_at")
    list_filter = (("category", RelatedDropdownFilter),)
    list_select_related = ("category",)
    search_fields = ("name_key__startswith",)
    ordering = ("name_key",)
    fields = ("name", "category", "position")

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term.casefold())

    def change(self, request, row, values):
        return update_tag(row, by=request.user, **values)

    def remove(self, request, row):
        delete_tag(row, by=request.user)


class PredefinedTagInline(WorkspaceInline):
    model = Tag
    fields = ("name", "position")
    verbose_name_plural = "predefined tags"
    hide_title = True
    ordering = ("position", "name_key")

    def get_extra(self, request, obj=None, **kwargs):
        return 3 if obj is None else 0


@admin.register(TagCategory)
class TagCategoryAdmin(PartsAdmin):
    admins_only = True
    list_display = ("name", "is_required", "shown_tags")
    search_fields = ("name__istartswith",)
    ordering = ("position", "id")
    fields = ("name", "is_required", "position")
    inlines = (PredefinedTagInline,)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("tags")

    @display(description="tags")
    def shown_tags(self, category: TagCategory) -> str:
        return ", ".join(tag.name for tag in category.tags.all()) or "–"

    def create(self, request, values):
        return create_category(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        return update_category(row, by=request.user, **values)

    def remove(self, request, row):
        delete_category(row, by=request.user)

    def add_part(self, request, owner, values):
        create_predefined_tag(owner.account, by=request.user, category=owner, **values)

    def change_part(self, request, part, values):
        update_tag(part, by=request.user, **values)

    def remove_part(self, request, part):
        """Out of the category; whoever carries it keeps it."""
        update_tag(part, by=request.user, category=None)
