"""Exports in the workspace: who took what, when."""

from __future__ import annotations

from django.contrib import admin

from crm.models import ExportJob
from pipelime.backoffice.admin import FactAdmin


@admin.register(ExportJob)
class ExportJobAdmin(FactAdmin):
    list_display = ("__str__", "created_by_name", "created_at")
    ordering = ("-id",)
    fields = ("kind", "format", "created_by_name", "created_at")
