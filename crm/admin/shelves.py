"""Which leads a list shows: all, one's own, nobody's, or those that were deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from crm.models import Lead
from pipelime.backoffice.admin import account_of


def deleted_leads(request: HttpRequest):
    """They are out of every other list; their pages only bring them back."""
    rows = Lead.objects.filter(account=account_of(request), deleted_at__isnull=False)
    return rows.visible_to(request.user)


def sees_unassigned(request: HttpRequest) -> bool:
    return getattr(request.user, "is_admin", True) or request.user.sees_unassigned


def shelves(request: HttpRequest) -> list[tuple[str, str]]:
    nobodys = [("unassigned", "Unassigned")] if sees_unassigned(request) else []
    return [("mine", "Mine"), *nobodys, ("deleted", "Deleted")]


class Shelf(admin.SimpleListFilter):
    title = "which"
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return shelves(request)

    def queryset(self, request: HttpRequest, queryset):
        match self.value():
            case "mine":
                return queryset.filter(owner=request.user)
            case "unassigned":
                return queryset.unassigned()
            case "deleted":
                return deleted_leads(request).prefetch_related("contact__emails")
        return queryset


def tabs(request: HttpRequest) -> list[tuple[str, str, bool]]:
    """(label, address, whether it is the open one), without the filters that are set."""
    chosen = request.GET.get(Shelf.parameter_name, "")
    names = [("", "All"), *shelves(request)]
    return [(label, f"?which={name}" if name else "?", name == chosen) for name, label in names]
