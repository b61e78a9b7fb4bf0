"""Endpoints: made and changed by administrators, tested, replayed, rotated."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display

from pipelime.backoffice.admin import Button, WorkspaceAdmin, account_of
from webhooks import endpoints
from webhooks.admin.forms import EndpointForm, kinds_with_one_event
from webhooks.dialects import dialect_named
from webhooks.models import Endpoint
from webhooks.replaying import replay

ONE_EVENT = kinds_with_one_event()
ROTATED = "Where the kind allows it, deliveries are signed with both secrets for a day. Make a new one now?"
REPLAYED = timedelta(days=5)


@admin.register(Endpoint)
class EndpointAdmin(WorkspaceAdmin):
    form = EndpointForm
    admins_only = True
    when_empty = "A webhook tells another program what happens here, the moment that it happens."
    list_display = ("shown_target", "shown_events", "shown_state", "shown_kind", "description")
    search_fields = ("url__icontains", "email__icontains", "name__icontains")
    ordering = ("-id",)
    readonly_fields = ("shown_state", "disabled_reason", "shown_kind", "created_at")
    # What the kind has no use for is out of sight.
    conditional_fields = {
        "events": f"!{ONE_EVENT}.includes(kind)",
        "event": f"{ONE_EVENT}.includes(kind)",
        "url": "!kind || kind.endsWith(':url')",
        "email": "kind && kind.endsWith(':email')",
    }
    buttons = (
        Button("test", "Send a test", "send", lambda endpoint: endpoint.is_enabled),
        Button("replay_missed", "Replay what it missed", "replay", lambda endpoint: endpoint.is_enabled),
        Button(
            "rotate",
            "Rotate the secret",
            "key",
            lambda endpoint: endpoint.target_type == Endpoint.TargetType.URL,
            confirm=ROTATED,
        ),
        Button("disable", "Disable", "pause", lambda endpoint: endpoint.is_enabled),
        Button("enable", "Enable", "play_arrow", lambda endpoint: not endpoint.is_enabled, primary=True),
    )

    def get_fields(self, request, obj=None):
        if obj is None:
            return ("kind", "url", "email", "events", "event", "name", "description", "on_menu")
        target = "email" if obj.target_type == Endpoint.TargetType.EMAIL else "url"
        if not self.may_write(request):
            return (target, "shown_events", "name", "description", "on_menu", *self.readonly_fields)
        heard = "event" if dialect_named(obj.dialect).is_once else "events"
        return ("kind", target, heard, "name", "description", "on_menu", *self.readonly_fields)

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.account = account_of(request)
        return form

    @display(description="target")
    def shown_target(self, endpoint: Endpoint) -> str:
        return f"{endpoint.name}: {endpoint.target}" if endpoint.name else endpoint.target

    @display(description="kind")
    def shown_kind(self, endpoint: Endpoint) -> str:
        return f"{dialect_named(endpoint.dialect).label}, to {endpoint.get_target_type_display()}"

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
        """A notification is a mail: nobody checks a signature."""
        if obj.target_type == Endpoint.TargetType.EMAIL:
            return super().response_add(request, obj, post_url_continue)
        return self.show_secret(request, obj, request.secret)

    def show_secret(self, request, endpoint, secret: str):
        return self.show_once(
            request,
            title=f"The secret of {endpoint}",
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
