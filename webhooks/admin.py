"""Webhooks in the workspace: endpoints, what was sent to them, and sending it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import action
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from pipelime.backoffice.admin import Button, FactAdmin, WorkspaceAdmin, account_of, is_admin
from pipelime.backoffice.forms import RecordForm
from webhooks import endpoints
from webhooks.models import Delivery, Endpoint
from webhooks.replaying import replay

REPLAYED = timedelta(days=5)
LABELS = {"done": "success", "failed": "danger", "queued": "info", "claimed": "info", "cancelled": "default"}


class EndpointForm(RecordForm):
    events = forms.CharField(
        initial="*",
        help_text='Separated by blanks: "*" for all, or such as "contact.created lead.*".',
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["events"] = " ".join(self.instance.events)

    def clean_events(self) -> list[str]:
        return self.cleaned_data["events"].replace(",", " ").split()


@admin.register(Endpoint)
class EndpointAdmin(WorkspaceAdmin):
    form = EndpointForm
    admins_only = True
    list_display = ("url", "shown_events", "shown_state", "description")
    search_fields = ("url__icontains",)
    ordering = ("-id",)
    add_fieldsets = ((None, {"fields": ("url", "events", "description")}),)
    fields = ("url", "events", "description", "shown_state", "disabled_reason", "dialect", "created_at")
    readonly_fields = ("shown_state", "disabled_reason", "dialect", "created_at")
    buttons = (
        Button("test", "Send a test", "send", lambda endpoint: endpoint.is_enabled),
        Button("replay_missed", "Replay what it missed", "replay", lambda endpoint: endpoint.is_enabled),
        Button(
            "rotate", "Rotate the secret", "key", confirm="For a day both secrets sign. Make a new one now?"
        ),
        Button("disable", "Disable", "pause", lambda endpoint: endpoint.is_enabled),
        Button("enable", "Enable", "play_arrow", lambda endpoint: not endpoint.is_enabled, primary=True),
    )

    @display(description="events")
    def shown_events(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.events)

    @display(description="state", label={"listens": "success", "disabled": "danger"})
    def shown_state(self, endpoint: Endpoint) -> str:
        return "listens" if endpoint.is_enabled else "disabled"

    def create(self, request, values):
        endpoint, request.secret = endpoints.create_endpoint(account_of(request), by=request.user, **values)
        return endpoint

    def change(self, request, row, values):
        return endpoints.update_endpoint(row, by=request.user, **values)

    def remove(self, request, row):
        endpoints.delete_endpoint(row, by=request.user)

    def response_add(self, request, obj, post_url_continue=None):
        return self.show_secret(request, obj, request.secret)

    def show_secret(self, request, endpoint, secret: str):
        return self.show_once(
            request,
            title=f"The secret of {endpoint.url}",
            secret=secret,
            hint="The receiver checks the signature of every delivery with it. Copy it now.",
            back=self.address("change", endpoint.pk),
        )

    def press_test(self, request, endpoint) -> str:
        endpoints.send_test(endpoint, by=request.user)
        return "A test is on its way; look under Deliveries."

    def press_replay_missed(self, request, endpoint) -> str:
        count = replay(endpoint, by=request.user, since=timezone.now() - REPLAYED)
        return f"{count} deliveries of the last {REPLAYED.days} days are queued."

    def press_rotate(self, request, endpoint):
        return self.show_secret(request, endpoint, endpoints.rotate_secret(endpoint, by=request.user))

    def press_disable(self, request, endpoint) -> str:
        endpoints.disable_endpoint(endpoint, by=request.user, reason=f"Disabled by {request.user.name}")
        return "Nothing is sent to it until you enable it."

    def press_enable(self, request, endpoint) -> str:
        endpoints.enable_endpoint(endpoint, by=request.user)
        return "It listens again. What it missed can be replayed."


@admin.register(Delivery)
class DeliveryAdmin(FactAdmin):
    list_display = ("event_name", "endpoint", "shown_state", "last_status", "attempts", "created_at")
    list_filter = (("state", ChoicesDropdownFilter), ("endpoint", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("endpoint",)
    ordering = ("-id",)
    fields = (
        "event_name", "endpoint", "state", "last_status", "attempts", "shown_tries", "last_error", "due_at",
        "delivered_at", "created_at", "body",
    )  # fmt: skip
    readonly_fields = ("shown_tries",)
    buttons = (Button("again", "Send it again", "replay", admins=True),)
    actions = ("all_again",)

    @display(description="state", label=LABELS)
    def shown_state(self, delivery: Delivery) -> str:
        return delivery.state

    @display(description="tries")
    def shown_tries(self, delivery: Delivery) -> str:
        tries = delivery.tries.order_by("id")
        return "\n".join(f"{t.at:%Y-%m-%d %H:%M:%S}  {t.status or t.error}" for t in tries) or "none yet"

    def has_replay_permission(self, request) -> bool:
        return self.may_write(request) and is_admin(request)

    @action(description="Send them again", permissions=["replay"])
    def all_again(self, request, queryset):
        count = self.each(request, queryset.select_related("endpoint"), self.press_again)
        self.message_user(request, f"{count} deliveries are queued.")

    def press_again(self, request, delivery) -> str:
        replay(delivery.endpoint, by=request.user, delivery=delivery)
        return "It is queued again."
