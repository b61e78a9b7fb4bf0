"""The history in the workspace."""

from __future__ import annotations

import json

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from pipelime.backoffice.admin import FactAdmin
from pipelime.backoffice.visibility import told_to
from pipelime.events.feed import sentence
from pipelime.events.models import Event


@admin.register(Event)
class EventAdmin(FactAdmin):
    list_display = ("shown_sentence", "at", "actor_name", "name")
    list_filter = (("at", RangeDateFilter),)
    list_filter_submit = True
    search_fields = ("name__istartswith",)
    ordering = ("-id",)
    fields = ("shown_sentence", "name", "at", "actor_name", "subject_type", "subject_id", "shown_data")
    change_form_outer_after_template = None

    def get_queryset(self, request):
        return told_to(request.user, super().get_queryset(request))

    @display(description="what happened")
    def shown_sentence(self, event: Event) -> str:
        return sentence(event)

    @display(description="data")
    def shown_data(self, event: Event) -> str:
        return json.dumps(event.data, indent=2, ensure_ascii=False)

    def get_readonly_fields(self, request, obj=None):
        return self.fields
