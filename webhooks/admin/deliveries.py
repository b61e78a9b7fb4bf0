"""What webhooks were sent, and sending it again."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import action
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from pipelime.backoffice.admin import Button, FactAdmin, is_admin
from webhooks.models import Delivery
from webhooks.replaying import replay

LABELS = {"done": "success", "failed": "danger", "queued": "info", "claimed": "info", "cancelled": "default"}


@admin.register(Delivery)
class DeliveryAdmin(FactAdmin):
    when_empty = "Everything that a webhook is told comes here, with the answer of its receiver."
    list_display = ("event_name", "endpoint", "shown_state", "last_status", "attempts", "created_at")
    list_filter = (("state", ChoicesDropdownFilter), ("endpoint", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("endpoint",)
    ordering = ("-id",)
    fields = (
        "event_name", "endpoint", "state", "last_status", "attempts", "shown_tries", "last_error", "due_at",
        "delivered_at", "created_at",
    )  # fmt: skip
    readonly_fields = ("shown_tries",)
    buttons = (Button("again", "Send it again", "replay", admins=True),)
    actions = ("all_again",)

    def get_fields(self, request, obj=None):
        """What it says tells of leads and conversations that not everybody may see."""
        return (*self.fields, "body") if is_admin(request) else self.fields

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
