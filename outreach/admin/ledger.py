"""The ledger of mails and who is in which campaign: facts, but for messages that wait for a decision."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import action
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from outreach.models import Enrolment, Message
from outreach.settling import settle
from pipelime.backoffice.admin import Button, FactAdmin

LABELS = {
    "sent": "success", "failed": "danger", "ambiguous": "warning", "queued": "info", "claimed": "info",
    "sending": "info",
}  # fmt: skip


def is_ambiguous(message: Message) -> bool:
    return message.state == Message.State.AMBIGUOUS


@admin.register(Message)
class MessageAdmin(FactAdmin):
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
    )  # fmt: skip
    actions = ("all_arrived", "send_all_again")

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


@admin.register(Enrolment)
class EnrolmentAdmin(FactAdmin):
    list_display = ("address", "shown_state", "campaign", "step_number", "due_at")
    list_filter = (("state", ChoicesDropdownFilter), ("campaign", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("campaign",)
    search_fields = ("address__startswith",)
    search_help_text = "Beginning of the address"
    ordering = ("-id",)
    fields = ("campaign", "contact", "address", "mailbox", "state", "reason", "step_number", "due_at")

    @display(description="state", label={"waiting": "info", "in_flight": "info", "finished": "success",
                                         "stopped": "default", "held": "warning"})  # fmt: skip
    def shown_state(self, enrolment: Enrolment) -> str:
        return enrolment.state
