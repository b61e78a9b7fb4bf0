"""Accounts in the workspace: settings, people, teams, API keys, and the mail the system sends itself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from pipelime.accounts import keys, people, settings, teams
from pipelime.accounts.models import Account, ApiKey, Notice, Team, TeamMember, User
from pipelime.backoffice.admin import (
    Button,
    FactAdmin,
    WorkspaceAdmin,
    WorkspaceInline,
    account_of,
    is_admin,
    rows_of,
)
from pipelime.backoffice.choices import time_zones
from pipelime.backoffice.forms import RecordForm
from pipelime.backoffice.mail_in import inbound_address, post_url

# Groups belong to no account; what people may do follows from their role.
admin.site.unregister(Group)


class CapField(forms.IntegerField):
    def __init__(self, **about: str) -> None:
        widget = UnfoldAdminIntegerFieldWidget
        super().__init__(min_value=1, max_value=settings.MOST_MAILS, required=False, widget=widget, **about)


class AccountForm(RecordForm):
    """The caps are settings of the account; an empty one is taken away."""

    mails_a_day = CapField(help_text="Of all campaigns together. Empty: no limit.")
    mails_per_domain_a_day = CapField(
        label="Mails to one domain a day", help_text="Such as example.com, of all campaigns together."
    )
    time_zone = forms.ChoiceField(choices=time_zones, widget=UnfoldAdminSelectWidget)

    class Meta:
        widgets = {"postal_address": UnfoldAdminTextareaWidget({"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for cap in settings.CAPS:
            self.initial[cap] = self.instance.settings.get(cap)

    def given(self, *, everything: bool) -> dict[str, Any]:
        values = super().given(everything=everything)
        caps = {cap: values.pop(cap) for cap in settings.CAPS if cap in values}
        return values | ({"settings": caps} if caps else {})


@admin.register(Account)
class AccountAdmin(WorkspaceAdmin):
    """One row, so its list is its page."""

    form = AccountForm
    admins_only = True
    can_add = can_delete = False
    fieldsets = (
        (None, {"fields": ("name", "postal_address", ("time_zone", "locale"), "currency")}),
        ("Who sees what", {"fields": ("lead_visibility",)}),
        ("How much mail", {"fields": (settings.CAPS,)}),
        ("Mail in", {"fields": ("shown_inbound",)}),
    )
    readonly_fields = ("shown_inbound", "shown_post_url")
    change_form_outer_after_template = None

    def get_fieldsets(self, request, obj=None):
        """Everybody may put the address into a blind copy; only administrators connect programs."""
        found = list(super().get_fieldsets(request, obj))
        return [*found, (None, {"fields": ("shown_post_url",)})] if is_admin(request) else found

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "lead_visibility":
            field.help_text = "Of leads and prospecting lists. Administrators see all of them."
        return field

    @display(description="address")
    def shown_inbound(self, account: Account) -> str:
        words = "Mail to it becomes a lead. In the blind copy of a letter, it files the letter with its lead."
        return format_html(
            '<code class="pl-code">{}</code><p class="pl-quiet mt-1">{}</p>', inbound_address(account), words
        )

    @display(description="for programs")
    def shown_post_url(self, account: Account) -> str:
        words = "Mail servers and services that hand mail over by HTTP POST it here."
        return format_html(
            '<code class="pl-code">{}</code><p class="pl-quiet mt-1">{}</p>', post_url(account), words
        )

    def changelist_view(self, request, extra_context=None):
        return redirect(self.address("change", account_of(request).pk))

    def change(self, request, row, values):
        return settings.update_account(row, by=request.user, **values)


class UserForm(RecordForm):
    time_zone = forms.ChoiceField(
        choices=lambda: [("", "The account's"), *time_zones()], widget=UnfoldAdminSelectWidget, required=False
    )


@admin.register(User)
class UserAdmin(WorkspaceAdmin):
    form = UserForm
    admins_only = True
    can_delete = False
    list_display = ("shown_name", "email", "is_admin", "shown_state", "last_login")
    search_fields = ("email__istartswith", "first_name__istartswith", "last_name__istartswith")
    ordering = ("first_name", "last_name", "id")
    fieldsets = (
        (None, {"fields": (("first_name", "last_name"), "email", "is_admin", "job_title")}),
        ("Reach", {"fields": (("phone", "mobile_phone"), ("im_type", "im"))}),
        ("Work", {"fields": ("time_zone", "locale", "default_reminder_duration", "sees_unassigned",
                             "wants_assignment_mail")}),
    )  # fmt: skip
    add_fieldsets = ((None, {"fields": (("first_name", "last_name"), "email", "is_admin", "job_title")}),)
    buttons = (
        Button("disable", "Disable", "person_off", lambda user: user.is_active,
               "Disabling ends every session and link of this user. Go on?"),
        Button("enable", "Enable", "person_check", lambda user: not user.is_active),
        Button("invite", "Mail the invitation again", "mail",
               lambda user: user.is_active and user.activated_at is None),
    )  # fmt: skip

    @display(description="name", header=True)
    def shown_name(self, user: User):
        return user.name, user.job_title

    @display(description="state", label={"active": "success", "invited": "info", "disabled": "danger"})
    def shown_state(self, user: User) -> str:
        if not user.is_active:
            return "disabled"
        return "active" if user.activated_at else "invited"

    def create(self, request: HttpRequest, values: dict[str, Any]) -> User:
        return people.invite_user(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        return people.update_user(row, by=request.user, **values)

    def press_disable(self, request, user) -> str:
        people.disable_user(user, by=request.user)
        return f"{user.name} is disabled."

    def press_enable(self, request, user) -> str:
        people.enable_user(user, by=request.user)
        return f"{user.name} may log in again."

    def press_invite(self, request, user) -> str:
        people.send_activation(user, by=request.user)
        return f"An invitation is on its way to {user.email}."


class TeamMemberInline(WorkspaceInline):
    model = TeamMember
    fields = ("user", "is_manager")
    autocomplete_fields = ("user",)


@admin.register(Team)
class TeamAdmin(WorkspaceAdmin):
    admins_only = True
    list_display = ("name", "shown_members")
    search_fields = ("name__istartswith",)
    ordering = ("name",)
    fields = ("name",)
    inlines = (TeamMemberInline,)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("members__user")

    @display(description="members")
    def shown_members(self, team: Team) -> str:
        return ", ".join(member.user.name for member in team.members.all()) or "–"

    def parts(self, request, formsets):
        return {
            "members": [(row["user"], row["is_manager"]) for formset in formsets for row in rows_of(formset)]
        }

    def create(self, request, values):
        return teams.create_team(account_of(request), by=request.user, **values)

    def change(self, request, row, values):
        return teams.update_team(row, by=request.user, **values)

    def remove(self, request, row):
        teams.delete_team(row, by=request.user)


class ApiKeyForm(RecordForm):
    scopes = forms.CharField(
        initial="*",
        help_text='Separated by blanks: "*" for everything, or such as "contacts:read leads:*".',
        widget=UnfoldAdminTextInputWidget,
    )

    def clean_scopes(self) -> list[str]:
        return self.cleaned_data["scopes"].replace(",", " ").split()


@admin.register(ApiKey)
class ApiKeyAdmin(WorkspaceAdmin):
    form = ApiKeyForm
    admins_only = True
    can_change = can_delete = False
    when_empty = "A key lets a program read and write here, as far as its scopes go. It is shown once."
    list_display = ("name", "shown_prefix", "shown_scopes", "shown_state", "last_used_at", "expires_at")
    search_fields = ("name__istartswith", "lookup__istartswith")
    add_fieldsets = ((None, {"fields": ("name", "scopes", "expires_at")}),)
    fields = ("name", "shown_prefix", "shown_scopes", "shown_state", "expires_at", "last_used_at",
    "created_by",
              "created_at")  # fmt: skip
    buttons = (
        Button("disable", "Disable", "pause", lambda key: key.disabled_at is None),
        Button("enable", "Enable", "play_arrow", lambda key: key.disabled_at is not None),
        Button(
            "revoke", "Revoke", "delete", confirm="Programs with this key are refused at once. Revoke it?"
        ),
    )

    @display(description="begins with")
    def shown_prefix(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @display(description="scopes")
    def shown_scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description="state", label={"live": "success", "disabled": "danger", "expired": "warning"})
    def shown_state(self, key: ApiKey) -> str:
        if key.disabled_at is not None:
            return "disabled"
        return "expired" if key.has_expired else "live"

    def create(self, request, values):
        key, request.raw_key = keys.create_key(account_of(request), by=request.user, **values)
        return key

    def response_add(self, request, obj, post_url_continue=None):
        return self.show_once(
            request,
            title=f"The key {obj.name}",
            secret=request.raw_key,
            hint="Programs send it as “Authorization: Bearer …”. It is not stored: copy it now.",
            back=self.address("change", obj.pk),
        )

    def press_disable(self, request, key) -> str:
        keys.disable_key(key, by=request.user)
        return f"The key {key.name} is disabled."

    def press_enable(self, request, key) -> str:
        keys.enable_key(key, by=request.user)
        return f"The key {key.name} works again."

    def press_revoke(self, request, key):
        keys.revoke_key(key, by=request.user)
        self.message_user(request, f"The key {key.name} is revoked.")
        return redirect(self.address("changelist"))


@admin.register(Notice)
class NoticeAdmin(FactAdmin):
    """Their texts hold links that log people in, so nobody reads them here."""

    list_display = ("subject", "to", "state", "due_at")
    search_fields = ("to__istartswith", "subject__istartswith")
    ordering = ("-id",)
    fields = ("to", "subject", "state", "due_at", "attempts", "last_error")
    change_form_outer_after_template = None
