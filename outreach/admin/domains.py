"""Sending domains in the workspace: what the DNS says as a checklist, and our key's record to publish."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from outreach.deliverability.domains import (
    dkim_name,
    dkim_record,
    look,
    mailboxes_of,
    make_key,
    update_domain,
)
from outreach.models import SendingDomain
from pipelime.backoffice.admin import Button, WorkspaceAdmin
from pipelime.backoffice.forms import RecordForm

TITLES = {
    "spf": "SPF: who may send for the domain",
    "dmarc": "DMARC: what becomes of mail that is not provably yours",
    "mx": "MX: where answers go",
    "dkim": "DKIM: the signature of the domain",
}
RANKS = {"ok": ("in order", "good"), "warning": ("to look at", "warn"), "problem": ("to mend", "bad")}


class DomainForm(RecordForm):
    dkim_selector = forms.CharField(
        label="DKIM selector", required=False, max_length=63, widget=UnfoldAdminTextInputWidget,
        help_text="As your mail service names it; empty: the usual ones are tried.",
    )  # fmt: skip


@admin.register(SendingDomain)
class SendingDomainAdmin(WorkspaceAdmin):
    form = DomainForm
    admins_only = True
    can_add = can_delete = False
    when_empty = "The domain of each mailbox that you connect comes here, with what the DNS says of it."
    list_display = ("name", "shown_state", "shown_signature", "checked_at")
    search_fields = ("name__istartswith",)
    ordering = ("name",)
    fields = ("dkim_selector",)
    change_form_before_template = "backoffice/domain.html"
    buttons = (
        Button("check", "Check now", "fact_check", primary=True),
        Button("make_key", "Sign mail here: make a key", "key", lambda domain: not domain.dkim_key),
        Button("sign", "The record is published: sign", "draw",
               lambda domain: bool(domain.dkim_key) and not domain.signs),
        Button("stop_signing", "Stop signing", "ink_eraser", lambda domain: domain.signs),
        Button("renew_key", "Make another key", "autorenew", lambda domain: bool(domain.dkim_key),
               "Mail is not signed any more until the new record is published. Make another key?"),
    )  # fmt: skip

    @display(description="state", label={"in order": "success", "to look at": "warning", "to mend": "danger"})
    def shown_state(self, domain: SendingDomain) -> str:
        if not domain.checked_at:
            return "not checked yet"
        found = {finding["level"] for finding in domain.findings}
        return RANKS[next((level for level in ("problem", "warning") if level in found), "ok")][0]

    @display(description="signature")
    def shown_signature(self, domain: SendingDomain) -> str:
        return "made here" if domain.signs else "the mail service's own, if any"

    def change_view(self, request, object_id, form_url="", extra_context=None):
        domain = self.row_or_404(request, object_id)
        extra = {
            "domain": domain,
            "checklist": [
                finding | {"title": TITLES[finding["check"]], "rank": RANKS[finding["level"]]}
                for finding in domain.findings
            ],
            "senders": mailboxes_of(domain),
            "record": dkim_record(domain),
            "record_name": dkim_name(domain),
        }
        return super().change_view(request, object_id, form_url, extra | (extra_context or {}))

    def change(self, request, row, values):
        return update_domain(row, by=request.user, **values)

    def press_check(self, request, domain) -> str:
        look(domain)
        return f"The name servers were asked about {domain.name}."

    def press_make_key(self, request, domain) -> str:
        make_key(domain, by=request.user)
        return "The key is made. Publish the record below, then turn signing on."

    press_renew_key = press_make_key

    def press_sign(self, request, domain) -> str:
        update_domain(domain, by=request.user, signs=True)
        return f"Mail from {domain.name} is signed from now on."

    def press_stop_signing(self, request, domain) -> str:
        update_domain(domain, by=request.user, signs=False)
        return f"Mail from {domain.name} is not signed here any more."
