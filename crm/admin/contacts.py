"""Contacts and companies in the workspace."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import action
from django.urls import reverse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from crm.admin.records import RecordAdmin, TaggedForm
from crm.companies import create_company, delete_company, update_company
from crm.contacts import create_contact, delete_contact, update_contact
from crm.models import Company, Contact, ContactEmail
from pipelime.backoffice.admin import Link, WorkspaceInline, account_of

STATUS = {"active": "success", "unsubscribed": "warning", "bounced": "danger", "blocked": "danger"}


class EmailInline(WorkspaceInline):
    model = ContactEmail
    fields = ("address", "label", "is_primary")
    verbose_name = "e-mail address"
    verbose_name_plural = "e-mail addresses"
    hide_title = True

    def get_extra(self, request, obj=None, **kwargs):
        return 1 if obj is None else 0

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "is_primary":
            kwargs["label"] = "main"
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Contact)
class ContactAdmin(RecordAdmin):
    field_kind = "contact"
    export_kind = "contacts"
    change_form_outer_after_template = "backoffice/contact_after.html"
    part_names = {ContactEmail: "emails"}
    list_display = ("shown_name", "shown_email", "company", "shown_status", "shown_tags", "shown_updated")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("company", AutocompleteSelectFilter),
        ("owner", AutocompleteSelectFilter),
        ("tags", AutocompleteSelectFilter),
    )
    list_filter_submit = True
    list_select_related = ("company",)
    sortable_by = ("shown_updated",)
    search_fields = ("id",)
    search_help_text = "Name, e-mail, company, job or phone"
    ordering = ("-id",)
    autocomplete_fields = ("company", "owner")
    fieldsets = (
        (None, {"fields": (("first_name", "last_name"), ("company", "job_title"), "tags")}),
        ("Reach", {"fields": (("phone", "linkedin_url"), ("location", "time_zone"))}),
        ("Work", {"fields": ("owner",)}),
    )
    inlines = (EmailInline, *RecordAdmin.inlines)
    actions = (*RecordAdmin.actions, "take_over")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("emails", "tags")

    @display(description="name", header=True)
    def shown_name(self, contact: Contact):
        return contact.name, contact.job_title

    @display(description="e-mail")
    def shown_email(self, contact: Contact) -> str:
        return contact.email or "–"

    @display(description="status", label=STATUS)
    def shown_status(self, contact: Contact) -> str:
        return contact.status

    @display(description="tags")
    def shown_tags(self, contact: Contact) -> str:
        return ", ".join(tag.name for tag in contact.tags.all()) or "–"

    @action(description="Make me the owner")
    def take_over(self, request, queryset):
        def own(request, contact):
            update_contact(contact, by=request.user, owner=request.user)

        self.message_user(request, f"{self.each(request, queryset, own)} contacts are yours.")

    def links(self, request, row):
        query = {"box": "all", "contact__id__exact": row.pk}
        talks = reverse("admin:outreach_conversation_changelist", query=query)
        return [Link("Conversations", talks, "forum")]

    def create(self, request, values):
        return create_contact(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        return update_contact(row, by=request.user, **values)

    def parts(self, request, formsets):
        values = super().parts(request, formsets)
        if "emails" in values:
            names = ("address", "label", "is_primary")
            values["emails"] = [{name: row[name] for name in names} for row in values["emails"]]
        return values

    def remove(self, request, row):
        delete_contact(row, by=request.user)


class CompanyForm(TaggedForm):
    tags = None  # companies have none


@admin.register(Company)
class CompanyAdmin(RecordAdmin):
    form = CompanyForm
    field_kind = "company"
    list_display = ("shown_name", "is_client", "is_active", "owner", "shown_updated")
    list_filter = ("is_client", "is_active", ("owner", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("owner",)
    search_fields = ("id",)
    search_help_text = "Name or domain"
    ordering = ("-id",)
    autocomplete_fields = ("owner",)
    fieldsets = ((None, {"fields": ("name", "domain", "description", ("is_client", "is_active"), "owner")}),)

    @display(description="name", header=True)
    def shown_name(self, company: Company):
        return company.name, company.domain

    def create(self, request, values):
        return create_company(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        return update_company(row, by=request.user, **values)

    def remove(self, request, row):
        delete_company(row, by=request.user)
