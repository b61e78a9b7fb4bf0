"""LinkedIn accounts in the workspace: whose they are, how much a day, and who does their steps."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from outreach.linkedin.accounts import (
    create_linkedin_account,
    delete_linkedin_account,
    pause_linkedin_account,
    resume_linkedin_account,
    update_linkedin_account,
)
from outreach.linkedin.hooks import hook_url
from outreach.linkedin.providers import provider_of
from outreach.linkedin.settings import COLUMNS
from outreach.models import LinkedInAccount
from pipelime.backoffice.admin import Button, WorkspaceAdmin, account_of
from pipelime.backoffice.choices import time_zones
from pipelime.backoffice.forms import RecordForm


class LinkedInAccountForm(RecordForm):
    """The key goes in and never comes out: an empty one keeps what is stored."""

    renamed = {f"provider.{key}": column for key, column in COLUMNS.items()}
    provider_key = forms.CharField(
        label="Key", required=False, help_text="Empty: the one that is stored.",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    time_zone = forms.ChoiceField(
        choices=lambda: [("", "The account's"), *time_zones()], widget=UnfoldAdminSelectWidget, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop("provider_key", None)

    def given(self, *, everything: bool) -> dict[str, Any]:
        values = super().given(everything=everything)
        provider = {key: values.pop(column) for key, column in COLUMNS.items() if column in values}
        if not provider.get("key"):
            provider.pop("key", None)
        if everything and not any(provider.values()):
            return values
        return values | ({"provider": provider} if provider else {})


def is_worked(account: LinkedInAccount) -> bool:
    return bool(account.provider)


@admin.register(LinkedInAccount)
class LinkedInAccountAdmin(WorkspaceAdmin):
    form = LinkedInAccountForm
    admins_only = True
    when_empty = (
        "LinkedIn steps are done as one of your people. Add a profile; its steps come to their tasks, "
        "ready to send."
    )
    list_display = ("shown_name", "owner", "daily_limit", "shown_state")
    list_select_related = ("owner",)
    search_fields = ("name__istartswith",)
    ordering = ("name",)
    autocomplete_fields = ("owner",)
    fieldsets = (
        (None, {"fields": (("name", "profile_url"), "owner", ("daily_limit", "time_zone"))}),
        ("Who does its steps", {
            "description": "Without a provider each step becomes a task of the owner, under Tasks, with the"
                           " text ready to be copied.",
            "fields": ("provider", ("provider_url", "provider_account"), "provider_key"),
        }),
    )  # fmt: skip
    buttons = (
        Button("try_out", "Test the provider", "network_check", is_worked),
        Button("show_hook", "Address for its webhooks", "webhook", is_worked),
        Button("pause", "Pause", "pause", lambda account: account.paused_at is None),
        Button("resume", "Resume", "play_arrow", lambda account: account.paused_at is not None, primary=True),
    )

    @display(description="account", header=True)
    def shown_name(self, account: LinkedInAccount):
        return account.name, account.profile_url

    @display(description="state", label={"by hand": "info", "by provider": "success", "paused": "warning"})
    def shown_state(self, account: LinkedInAccount) -> str:
        if account.paused_at:
            return "paused"
        return "by provider" if account.provider else "by hand"

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_object(request, object_id)
        if row is not None and row.paused_at and request.method == "GET":
            self.message_user(request, f"Paused: {row.pause_reason}", messages.WARNING)
        return super().change_view(request, object_id, form_url, extra_context)

    def create(self, request, values):
        return create_linkedin_account(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        return update_linkedin_account(row, by=request.user, **values)

    def remove(self, request, row):
        delete_linkedin_account(row, by=request.user)

    def press_try_out(self, request, row) -> None:
        works, words = provider_of(row).status(row)
        name = row.get_provider_display()
        self.message_user(request, f"{name}: {words}", messages.SUCCESS if works else messages.ERROR)

    def press_show_hook(self, request, row):
        answer = self.page(
            request,
            "backoffice/linkedin_hook.html",
            f"Webhooks for {row.name}",
            provider=row.get_provider_display(),
            url=hook_url(row),
            back=self.address("change", row.pk),
        )
        answer["Cache-Control"] = "no-store"
        return answer

    def press_pause(self, request, row) -> str:
        pause_linkedin_account(row, by=request.user, reason=f"Paused by {request.user.name}")
        return f"Nothing is planned or sent with {row.name} until you resume it."

    def press_resume(self, request, row) -> str:
        resume_linkedin_account(row, by=request.user)
        return f"{row.name} is used again."
