"""The ledger of messages: facts, but for those that wait for a decision."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import action
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from outreach import direct
from outreach.models import Message
from outreach.settling import settle
from pipelime.backoffice.admin import Button, FactAdmin

LABELS = {
    "sent": "success", "failed": "danger", "ambiguous": "warning", "queued": "info", "claimed": "info",
    "sending": "info",
}  # fmt: skip


def is_waiting(message: Message) -> bool:
    return message.is_direct and message.state == Message.State.QUEUED


def is_ambiguous(message: Message) -> bool:
    return message.state == Message.State.AMBIGUOUS


@admin.register(Message)
class MessageAdmin(FactAdmin):
    when_empty = "Every mail, LinkedIn message and call of a campaign is listed here, with what became of it."
    list_display = ("shown_to", "shown_state", "shown_source", "sent_at")
    list_filter = (("state", ChoicesDropdownFilter), ("campaign", AutocompleteSelectFilter))
    list_filter_submit = True
    search_fields = ("to_address__startswith",)
    search_help_text = "Beginning of the address"
    ordering = ("-id",)
    fields = (
        "to_name", "to_address", "from_address", "subject", "shown_text", "state", "last_error",
        "shown_source", "variant", "message_id", "slot_at", "sent_at", "settled_at", "created_at",
    )  # fmt: skip
    buttons = (
        Button("arrived", "It arrived", "mark_email_read", is_ambiguous, primary=True),
        Button("send_again", "Send it again", "forward_to_inbox", is_ambiguous,
               "If the first one arrived after all, this person gets the mail twice. Send it again?"),
        Button("withdraw", "Do not send it", "cancel_schedule_send", is_waiting),
    )  # fmt: skip
    actions = ("all_arrived", "send_all_again")
    list_before_template = "backoffice/to_settle.html"

    def changelist_view(self, request, extra_context=None):
        doubts = self.get_queryset(request).filter(state=Message.State.AMBIGUOUS).count()
        return super().changelist_view(request, {"doubts": doubts, **(extra_context or {})})

    @display(description="to", header=True)
    def shown_to(self, message: Message):
        return message.to_name or message.to_address, message.subject or message.to_address

    @display(description="state", label=LABELS)
    def shown_state(self, message: Message) -> str:
        return message.state

    @display(description="part of")
    def shown_source(self, message: Message) -> str:
        if message.is_direct:
            return f"template {message.template_name}"
        return f"{message.campaign_name}, step {message.step_number}"

    @display(description="text")
    def shown_text(self, message: Message) -> str:
        """What a direct mail says. Those of campaigns are written as they are sent."""
        said = message.frozen or {}
        return said.get("text") or said.get("html") or "–"

    def has_settle_permission(self, request) -> bool:
        return self.may_write(request)

    @action(description="Ambiguous ones: they arrived", permissions=["settle"])
    def all_arrived(self, request, queryset):
        self.settle_all(request, queryset, "arrived")

    @action(description="Ambiguous ones: send them again", permissions=["settle"])
    def send_all_again(self, request, queryset):
        self.settle_all(request, queryset, "send_again")

    def settle_all(self, request, queryset, outcome: str) -> None:
        rows = queryset.filter(state=Message.State.AMBIGUOUS)
        done = self.each(request, rows, lambda request, row: settle(row, by=request.user, outcome=outcome))
        self.message_user(request, f"{done} messages are settled.")

    def press_arrived(self, request, message) -> str:
        settle(message, by=request.user, outcome="arrived")
        return "Settled: it counts as sent."

    def press_send_again(self, request, message) -> str:
        settle(message, by=request.user, outcome="send_again")
        return f"Settled: it is {message.state} now."

    def press_withdraw(self, request, message) -> str:
        direct.withdraw(message, by=request.user)
        return "It is not sent."
