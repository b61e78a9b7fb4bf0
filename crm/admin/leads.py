"""Leads in the workspace."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.contrib.admin import action
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display

from crm.admin.records import RecordAdmin
from crm.leads import assign_lead, create_lead, delete_lead, update_lead
from crm.models import Lead, Step
from crm.pipelines import first_step
from pipelime.backoffice.admin import Button, account_of
from pipelime.backoffice.display import money

STATUS = {"To do": "info", "Standby": "warning", "Won": "success", "Cancelled": "danger", "Lost": "danger"}


class StepChoice(forms.ModelChoiceField):
    def label_from_instance(self, step: Step) -> str:
        return f"{step.pipeline.name}: {step.name}"


def is_open(lead: Lead) -> bool:
    return not lead.is_closed and lead.owner_id is not None


@admin.register(Lead)
class LeadAdmin(RecordAdmin):
    field_kind = "lead"
    export_kind = "leads"
    list_display = ("shown_title", "shown_step", "shown_status", "owner", "shown_amount", "shown_updated")
    list_filter = (
        ("step", RelatedDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("owner", AutocompleteSelectFilter),
        ("tags", AutocompleteSelectFilter),
        "starred",
    )
    list_filter_submit = True
    list_select_related = ("step", "owner", "client_folder", "contact")
    sortable_by = ("shown_updated",)
    search_fields = ("id",)
    search_help_text = "Title, company or words of the description"
    ordering = ("-id",)
    autocomplete_fields = ("owner", "contact", "client_folder")
    fieldsets = (
        (None, {"fields": ("title", ("step", "status"), ("owner", "starred"), "tags")}),
        ("Worth", {"fields": (("amount", "currency"), ("probability", "estimated_closing_date"))}),
        ("With whom", {"fields": (("contact", "client_folder"), "description")}),
        ("Reminder", {"fields": (("remind_date", "remind_time"), ("reminder_duration", "reminder_note"))}),
    )
    buttons = (
        Button("won", "Won", "trophy", is_open, primary=True),
        Button("lost", "Lost", "thumb_down", is_open),
        Button("take", "Take over", "person_add", lambda lead: lead.owner_id is None, primary=True),
    )
    actions = (*RecordAdmin.actions, "take_over")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("contact__emails", "tags")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "step":
            kwargs |= {"form_class": StepChoice, "queryset": Step.objects.select_related("pipeline")}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request):
        account = account_of(request)
        own = {"owner": request.user.pk} if request.user.account_id else {}
        begin = {"step": first_step(account).pk, "currency": account.currency, **own}
        return begin | super().get_changeform_initial_data(request)

    @display(description="lead", header=True)
    def shown_title(self, lead: Lead):
        about = lead.client_folder or lead.contact
        return lead.title, str(about) if about else ""

    @display(description="step", label=True)
    def shown_step(self, lead: Lead) -> str:
        return lead.step.name

    @display(description="status", label=STATUS)
    def shown_status(self, lead: Lead) -> str:
        return lead.get_status_display()

    @display(description="amount")
    def shown_amount(self, lead: Lead) -> str:
        return money(lead.amount, lead.currency)

    @action(description="Make me the owner")
    def take_over(self, request, queryset):
        def own(request, lead):
            assign_lead(lead, request.user, by=request.user)

        self.message_user(request, f"{self.each(request, queryset, own)} leads are yours.")

    def press_won(self, request, lead) -> str:
        update_lead(lead, by=request.user, status=Lead.Status.WON)
        return f"{lead.title} is won. Well done."

    def press_lost(self, request, lead) -> str:
        update_lead(lead, by=request.user, status=Lead.Status.LOST)
        return f"{lead.title} is lost."

    def press_take(self, request, lead) -> str:
        assign_lead(lead, request.user, by=request.user)
        return f"{lead.title} is yours."

    def create(self, request, values):
        return create_lead(account_of(request), by=request.user, created_from="workspace", **values)

    def change(self, request, row, values):
        return update_lead(row, by=request.user, **values)

    def remove(self, request, row):
        delete_lead(row, by=request.user)
