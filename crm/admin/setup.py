"""What an account sets up once: pipelines with their steps, and custom fields."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from crm.fields import create_field, delete_field, update_field
from crm.models import Field, Pipeline, Step
from crm.pipelines import (
    create_pipeline,
    create_step,
    delete_pipeline,
    delete_step,
    update_pipeline,
    update_step,
)
from pipelime.backoffice.admin import FactAdmin, WorkspaceAdmin, WorkspaceInline, account_of, rows_of
from pipelime.backoffice.forms import RecordForm


class StepInline(WorkspaceInline):
    model = Step
    fields = ("name", "position")
    ordering = ("position", "id")

    def get_extra(self, request, obj=None, **kwargs):
        return 3 if obj is None else 0


@admin.register(Pipeline)
class PipelineAdmin(WorkspaceAdmin):
    admins_only = True
    list_display = ("name", "is_default", "shown_steps")
    ordering = ("position", "id")
    fields = ("name", "is_default", "position")
    search_fields = ("name__istartswith",)
    inlines = (StepInline,)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("steps")

    @display(description="steps")
    def shown_steps(self, pipeline: Pipeline) -> str:
        return " → ".join(step.name for step in pipeline.steps.all())

    def create(self, request, values):
        values.pop("position", None)
        return create_pipeline(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        values.pop("steps", None)
        return update_pipeline(row, by=request.user, **values)

    def parts(self, request, formsets):
        """A new pipeline is made with its steps; those of an old one have verbs of their own."""
        rows = [row for formset in formsets for row in rows_of(formset)]
        ordered = sorted(rows, key=lambda row: row.get("position") or 0)
        return {"steps": [row["name"] for row in ordered]} if ordered and is_new(formsets) else {}

    def write_parts(self, request, row, formsets):
        if is_new(formsets):
            return
        for formset in formsets:
            for form in formset.deleted_forms:
                if form.instance.pk:
                    delete_step(stored(form), by=request.user)
            for form in formset.forms:
                if form.has_changed() and form not in formset.deleted_forms and form.cleaned_data:
                    self.write_step(request, row, form)

    def write_step(self, request, pipeline, form):
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in ("name", "position")}
        if form.instance.pk:
            update_step(stored(form), by=request.user, **values)
        else:
            create_step(pipeline, by=request.user, name=form.cleaned_data["name"])

    def remove(self, request, row):
        delete_pipeline(row, by=request.user)


def is_new(formsets) -> bool:
    return all(formset.instance._state.adding for formset in formsets)


def stored(form) -> Step:
    return Step.objects.select_related("pipeline").get(pk=form.instance.pk)


@admin.register(Step)
class StepAdmin(FactAdmin):
    """Listed for choices; steps are changed on the page of their pipeline."""

    list_display = ("name", "pipeline", "position")
    list_select_related = ("pipeline",)
    search_fields = ("name__istartswith",)
    fields = ("name", "pipeline", "position")


class FieldForm(RecordForm):
    type = forms.ChoiceField(
        choices=[("", "as its meaning says"), *Field.Type.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def given(self, *, everything: bool) -> dict[str, Any]:
        values = super().given(everything=everything)
        return {name: value for name, value in values.items() if name != "type" or value}


@admin.register(Field)
class FieldAdmin(WorkspaceAdmin):
    form = FieldForm
    admins_only = True
    list_display = ("name", "kind", "type", "meaning", "key", "is_key")
    list_filter = ("kind", "meaning")
    ordering = ("kind", "position", "id")
    add_fieldsets = ((None, {"fields": ("kind", "name", "meaning", "type", "is_key")}),)
    fields = ("kind", "key", "name", "meaning", "type", "is_key", "position")

    def get_readonly_fields(self, request, obj=None):
        return ("kind", "key") if obj else ()

    def create(self, request, values):
        return create_field(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        return update_field(row, by=request.user, **values)

    def remove(self, request, row):
        delete_field(row, by=request.user)
