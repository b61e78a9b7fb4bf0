"""Mailboxes in the workspace: their servers, a test in the server's own words, pausing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from outreach import oauth
from outreach.admin.connecting import ConnectsMailboxes
from outreach.mailbox_health import health_of
from outreach.mailbox_settings import RAMP_KEYS, SERVER_KEYS
from outreach.mailboxes import (
    create_mailbox,
    delete_mailbox,
    pause_mailbox,
    resume_mailbox,
    update_mailbox,
)
from outreach.models import EmailAccount
from outreach.trying import test_mailbox
from pipelime.backoffice.admin import Button, account_of
from pipelime.backoffice.choices import time_zones
from pipelime.backoffice.forms import RecordForm

PACE = ("gap_seconds", "gap_jitter_seconds", "ramp_up_by")  # left empty, they are 0


class MailboxForm(RecordForm):
    """Passwords go in and never come out: an empty one keeps what is stored."""

    renamed = {f"{kind}.{key}": f"{kind}_{key}" for kind in ("smtp", "imap") for key in SERVER_KEYS} | {
        f"ramp_up.{key}": f"ramp_up_{key}" for key in RAMP_KEYS
    }
    smtp_password = forms.CharField(
        label="SMTP password", required=False, strip=False, help_text="Empty: the one that is stored.",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    imap_password = forms.CharField(
        label="IMAP password", required=False, strip=False, help_text="Empty: the one that is stored.",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    time_zone = forms.ChoiceField(
        choices=lambda: [("", "The account's"), *time_zones()], widget=UnfoldAdminSelectWidget, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("smtp_password", "imap_password"):
            self.initial.pop(name, None)
        for name in PACE:
            if name in self.fields:
                self.fields[name].required = False

    def given(self, *, everything: bool) -> dict[str, Any]:
        values = super().given(everything=everything)
        values |= {name: 0 for name in PACE if name in values and values[name] is None}
        for kind in ("smtp", "imap"):
            server = {key: values.pop(f"{kind}_{key}") for key in SERVER_KEYS if f"{kind}_{key}" in values}
            if not server.get("password"):
                server.pop("password", None)
            if server:
                values[kind] = server
        if everything and not values["imap"].get("host"):
            values["imap"] = None
        ramp_up = {key: values.pop(f"ramp_up_{key}") for key in RAMP_KEYS if f"ramp_up_{key}" in values}
        if ramp_up:
            values["ramp_up"] = ramp_up
            if self.cleaned_data.get("ramp_up_from") is None:
                values["ramp_up"] = None
        return values


@admin.register(EmailAccount)
class MailboxAdmin(ConnectsMailboxes):
    form = MailboxForm
    admins_only = True
    when_empty = "Campaigns send from mailboxes and read the answers there. Connect one by its servers."
    list_display = ("shown_email", "smtp_host", "daily_limit", "shown_state")
    search_fields = ("email__istartswith", "name__istartswith")
    ordering = ("email",)
    autocomplete_fields = ("owner",)
    change_form_outer_after_template = "backoffice/mailbox.html"
    servers = (
        ("Sending (SMTP)", {"fields": (("smtp_host", "smtp_port", "smtp_security"),
                                       ("smtp_username", "smtp_password"))}),
        ("Receiving (IMAP), to see replies", {"fields": (("imap_host", "imap_port", "imap_security"),
                                                         ("imap_username", "imap_password"))}),
    )  # fmt: skip
    pace = ("Pace", {"fields": (("daily_limit", "time_zone"), ("gap_seconds", "gap_jitter_seconds"),
                                ("ramp_up_from", "ramp_up_by"), "ramp_up_on")})  # fmt: skip
    buttons = (
        Button("try_out", "Test the servers", "network_check"),
        Button("pause", "Pause", "pause", lambda mailbox: mailbox.paused_at is None),
        Button("resume", "Resume", "play_arrow", lambda mailbox: mailbox.paused_at is not None, primary=True),
    )

    def get_readonly_fields(self, request, obj=None):
        return ("email", "login") if obj else ()

    def get_fieldsets(self, request, obj=None):
        """The servers of a mailbox at a provider are the provider's."""
        by_password = obj is None or obj.login == EmailAccount.Login.PASSWORD
        known = ("owner",) if by_password else ("owner", "login")
        own = (None, {"fields": (("email", "name"), known, "signature")})
        return (own, *(self.servers if by_password else ()), self.pace)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        mailbox = self.get_object(request, object_id)
        extra = {} if mailbox is None else {"mailbox": mailbox, "health": health_of(mailbox)}
        return super().change_view(request, object_id, form_url, extra | (extra_context or {}))

    def links(self, request, mailbox):
        provider = oauth.PROVIDERS.get(mailbox.login)
        return [self.link_to(provider, "again")] if provider and provider.is_set_up else []

    @display(description="mailbox", header=True)
    def shown_email(self, mailbox: EmailAccount):
        return mailbox.email, mailbox.name

    @display(description="state", label={"sends": "success", "paused": "warning"})
    def shown_state(self, mailbox: EmailAccount) -> str:
        return "paused" if mailbox.paused_at else "sends"

    def create(self, request, values):
        return create_mailbox(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        return update_mailbox(row, by=request.user, **values)

    def remove(self, request, row):
        delete_mailbox(row, by=request.user)

    def press_try_out(self, request, mailbox) -> None:
        found = test_mailbox(mailbox)
        for kind in ("smtp", "imap"):
            if server := found[kind]:
                level = messages.SUCCESS if server["ok"] else messages.ERROR
                self.message_user(request, f"{kind.upper()}: {server['detail']}", level)

    def press_pause(self, request, mailbox) -> str:
        pause_mailbox(mailbox, by=request.user, reason=f"Paused by {request.user.name}")
        return f"Nothing is sent from {mailbox.email} until you resume it."

    def press_resume(self, request, mailbox) -> str:
        resume_mailbox(mailbox, by=request.user)
        return f"{mailbox.email} sends again."
