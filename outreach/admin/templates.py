"""E-mail templates in the workspace, and the page that shows what a lead would get and sends it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from crm.models import Lead
from outreach.models import EmailTemplate
from outreach.template_data import LEAD_VALUES, PEOPLE_VALUES
from outreach.template_mail import preview_template, send_template
from outreach.templates import create_template, delete_template, update_template
from pipelime.backoffice.admin import Link, WorkspaceAdmin, account_of, is_admin
from pipelime.backoffice.forms import RecordForm
from pipelime.errors import PipelimeError

LEADS_OFFERED = 20
NAMES = (
    "Of the person: first_name, last_name, email, company, job_title, phone. "
    f"Of the lead: {', '.join('lead.' + name for name in LEAD_VALUES)}; your own fields as fields.key. "
    f"Of its owner: {', '.join('user.' + name for name in PEOPLE_VALUES)}, sender.signature."
)


class TemplateForm(RecordForm):
    class Meta:
        widgets = {"body": UnfoldAdminTextareaWidget({"rows": 16})}
        help_texts = {
            "body": f"Text, or HTML if it begins with a tag; values as {{{{ first_name }}}}. {NAMES}"
        }


@admin.register(EmailTemplate)
class TemplateAdmin(WorkspaceAdmin):
    """`admin:outreach_emailtemplate_send` is the page that other pages link to.

    It takes ?lead=ID, and &template=ID to come with one chosen; it shows the mail, and sends it by POST.
    """

    form = TemplateForm
    when_empty = "A template is a mail to one lead, written once: for after a call, say, or with an offer."
    list_display = ("name", "subject", "is_shared", "created_by", "updated_at")
    list_select_related = ("created_by",)
    list_filter = ("is_shared",)
    search_fields = ("name__icontains",)
    ordering = ("name", "id")
    fields = ("name", "subject", "body", "is_shared", "users")
    autocomplete_fields = ("users",)

    def get_queryset(self, request):
        return super().get_queryset(request).usable_by(request.user)

    def is_author(self, request: HttpRequest, obj: EmailTemplate | None) -> bool:
        return obj is None or is_admin(request) or obj.created_by_id == request.user.pk

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and self.is_author(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and self.is_author(request, obj)

    def links(self, request, row):
        address = f"{self.address('send')}?{urlencode({'template': row.pk})}"
        return [*super().links(request, row), Link("Try it on a lead", address, "visibility")]

    def create(self, request, values):
        return create_template(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        return update_template(row, by=request.user, **values)

    def remove(self, request, row):
        delete_template(row, by=request.user)

    def get_urls(self):
        view = self.admin_site.admin_view(self.send)
        return [path("send/", view, name="outreach_emailtemplate_send"), *super().get_urls()]

    def send(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        lead = chosen(Lead.objects.alive().visible_to(request.user), request, "lead")
        template = chosen(self.get_queryset(request), request, "template")
        if request.method == "POST" and lead and template:
            return self.sent(request, template, lead)
        context = {
            "lead": lead,
            "chosen": template,
            "mail": preview_template(template, lead) if lead and template else None,
            "templates": self.get_queryset(request),
            "leads": offered(request, lead),
            "back": reverse("admin:crm_lead_change", args=[lead.pk]) if lead else self.address("changelist"),
            "may_send": self.may_write(request),
        }
        return self.page(request, "backoffice/template_mail.html", "Send a template", **context)

    def sent(self, request: HttpRequest, template: EmailTemplate, lead: Lead) -> HttpResponse:
        if not self.may_write(request):
            raise PermissionDenied
        try:
            message = send_template(template, lead, by=request.user)
        except PipelimeError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            query = urlencode({"lead": lead.pk, "template": template.pk})
            return redirect(f"{self.address('send')}?{query}")
        self.message_user(
            request, f"{template} goes to {message.to_address} from {message.from_address}.", messages.SUCCESS
        )
        return redirect(reverse("admin:crm_lead_change", args=[lead.pk]))


def chosen(rows: Any, request: HttpRequest, name: str) -> Any:
    """The row that ?name=ID, or the form, asks for; None when it asks for none."""
    given = request.POST.get(name) or request.GET.get(name)
    if not given:
        return None
    try:
        found = rows.filter(pk=forms.IntegerField(min_value=1, max_value=2**63 - 1).clean(given)).first()
    except forms.ValidationError:
        found = None
    if found is None:
        raise Http404(f"There is no {name} {given}")
    return found


def offered(request: HttpRequest, lead: Lead | None) -> list[Lead]:
    """The leads that were touched last, the chosen one among them."""
    latest = list(
        Lead.objects.alive().visible_to(request.user).order_by("-updated_at", "-pk")[:LEADS_OFFERED]
    )
    return latest if lead is None or lead in latest else [lead, *latest]
