"""Leads in the workspace."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import action
from django.shortcuts import redirect
from django.urls import reverse
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display

from crm.admin.attachments import AttachmentInline, write_attachments
from crm.admin.records import CUSTOM, CommentInline, RecordAdmin, TaggedForm
from crm.admin.shelves import Shelf, deleted_leads, tabs
from crm.descriptions import facts_in, lead_fields
from crm.duplicates import duplicates_of
from crm.leads import assign_lead, create_lead, delete_lead, duplicate_lead, restore_lead, update_lead
from crm.models import Attachment, FollowUp, Lead, Step
from crm.pipelines import first_step
from pipelime.backoffice import triggering
from pipelime.backoffice.admin import Button, Link, WorkspaceInline, account_of
from pipelime.backoffice.display import linked, money

STATUS = {"To do": "info", "Standby": "warning", "Won": "success", "Cancelled": "danger", "Lost": "danger"}


class StepChoice(forms.ModelChoiceField):
    def label_from_instance(self, step: Step) -> str:
        return f"{step.pipeline.name}: {step.name}"


class LeadForm(TaggedForm):
    """A field left blank shows what the description says of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = lead_fields() if self.instance.description else []
        for field, value in facts_in(self.instance.description, fields):
            if shown := self.fields.get(CUSTOM + field.key):
                shown.widget.attrs.setdefault("placeholder", value)


def is_open(lead: Lead) -> bool:
    return is_there(lead) and not lead.is_closed and lead.owner_id is not None


def is_there(lead: Lead) -> bool:
    return lead.deleted_at is None


class FollowUpInline(WorkspaceInline):
    """Follow-ups have pages of their own, with their tasks."""

    model = FollowUp
    can_add = can_change = can_delete = False
    fields = readonly_fields = ("shown_title", "owner", "status")
    hide_title = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("owner")

    @display(description="title")
    def shown_title(self, follow_up: FollowUp) -> str:
        return linked(follow_up)


@admin.register(Lead)
class LeadAdmin(RecordAdmin):
    form = LeadForm
    field_kind = "lead"
    export_kind = "leads"
    list_display = ("shown_title", "shown_step", "shown_status", "owner", "shown_amount", "shown_updated")
    list_before_template = "backoffice/lead_tabs.html"
    change_form_outer_after_template = "backoffice/lead_after.html"
    list_filter = (
        Shelf,
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
        (
            "Reminder",
            {
                "fields": (
                    ("remind_date", "remind_time"),
                    ("reminder_activity", "reminder_duration"),
                    "reminder_note",
                )
            },
        ),
    )
    buttons = (
        Button("won", "Won", "trophy", is_open, primary=True),
        Button("lost", "Lost", "thumb_down", is_open),
        Button("take", "Take over", "person_add", lambda lead: is_there(lead) and lead.owner_id is None,
               primary=True),
        Button("copy", "Duplicate", "content_copy", is_there),
        Button("restore", "Restore", "restore_from_trash", lambda lead: not is_there(lead), primary=True),
        Button("trigger", "Send to", when=lambda lead: False),  # pressed from the menu
    )  # fmt: skip
    actions = (*RecordAdmin.actions, "take_over", "restore")
    inlines = (CommentInline, FollowUpInline, AttachmentInline)

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

    def get_object(self, request, object_id, from_field=None):
        """A deleted lead, too: its page is where it is restored."""
        found = super().get_object(request, object_id, from_field)
        if found is None and str(object_id).isdigit():
            found = deleted_leads(request).filter(pk=object_id).first()
        return found

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (obj is None or is_there(obj))

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or is_there(obj))

    def get_inlines(self, request, obj):
        return self.inlines if obj is not None else (CommentInline,)

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"tabs": tabs(request)} | (extra_context or {}))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        lead = self.get_object(request, object_id)
        more = self.around(request, lead) if lead is not None and is_there(lead) else {}
        return super().change_view(request, object_id, form_url, more | (extra_context or {}))

    def around(self, request, lead: Lead) -> dict[str, Any]:
        """What stands beside the form: who else it may be, and where it can be sent."""
        menu = {
            "label": "Send to", "icon": "webhook", "name": "endpoint", "choices": triggering.choices(),
            "address": self.address("press", lead.pk, "trigger"),
        }  # fmt: skip
        return {"duplicates": duplicates_of(lead, seen_by=request.user), "menu": menu}

    def links(self, request, row):
        if not is_there(row):
            return []
        follow_up = reverse("admin:crm_followup_add", query={"lead": row.pk})
        letter = reverse("admin:outreach_emailtemplate_send", query={"lead": row.pk})
        in_inbox = {"box": "all", "lead__id__exact": row.pk}
        talks = reverse("admin:outreach_conversation_changelist", query=in_inbox)
        return [
            Link("Follow up", follow_up, "checklist"),
            Link("Send template", letter, "mail"),
            Link("Conversations", talks, "forum"),
        ]

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

    @action(description="Restore")
    def restore(self, request, queryset):
        def back(request, lead):
            restore_lead(lead, by=request.user)

        self.message_user(request, f"{self.each(request, queryset, back)} leads are back.")

    def press_restore(self, request, lead) -> str:
        restore_lead(lead, by=request.user)
        return f"{lead.title} is back."

    def press_copy(self, request, lead):
        copy = duplicate_lead(lead, by=request.user)
        self.message_user(request, f"This is a copy of {lead.title}.")
        return redirect(self.address("change", copy.pk))

    def press_trigger(self, request, lead) -> str:
        return triggering.press(request, lead)

    def press_won(self, request, lead) -> str:
        update_lead(lead, by=request.user, status=Lead.Status.WON)
        return f"{lead.title} is won. Well done."

    def press_lost(self, request, lead) -> str:
        update_lead(lead, by=request.user, status=Lead.Status.LOST)
        return f"{lead.title} is lost."

    def press_take(self, request, lead) -> str:
        assign_lead(lead, request.user, by=request.user)
        return f"{lead.title} is yours."

    def write_parts(self, request, row, formsets):
        super().write_parts(request, row, formsets)
        for formset in formsets:
            if formset.model is Attachment:
                write_attachments(request, row, formset)

    def create(self, request, values):
        return create_lead(account_of(request), by=request.user, created_from="workspace", **values)

    def change(self, request, row, values):
        return update_lead(row, by=request.user, **values)

    def remove(self, request, row):
        delete_lead(row, by=request.user)
