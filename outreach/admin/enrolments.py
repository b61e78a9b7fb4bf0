"""Contacts' places in campaigns: how far each is, and pausing, moving or removing one or many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.admin import action
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from outreach.admin.why_not import WhyNotPart
from outreach.enrolments import (
    jump,
    pause_enrolment,
    release_enrolment,
    remove_enrolment,
    resume_enrolment,
)
from outreach.models import Enrolment, SequenceStep
from pipelime.backoffice.admin import Button, FactAdmin

State = Enrolment.State
LABELS = {
    "waiting": "info", "in flight": "info", "finished": "success", "stopped": "default", "held": "warning",
    "paused": "warning",
}  # fmt: skip


class Choice(NamedTuple):
    """A step that a contact may be moved to, as the menu of buttons shows it."""

    pk: int
    label: str

    def __str__(self) -> str:
        return self.label


def may_pause(enrolment: Enrolment) -> bool:
    return enrolment.state in (State.WAITING, State.IN_FLIGHT, State.HELD)


@admin.register(Enrolment)
class EnrolmentAdmin(WhyNotPart, FactAdmin):
    when_empty = "An enrolment is a contact's place in a campaign. Add contacts on a campaign's page."
    list_display = ("shown_who", "shown_state", "campaign", "step_number", "due_at")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("intent", ChoicesDropdownFilter),
        ("campaign", AutocompleteSelectFilter),
    )
    list_filter_submit = True
    list_select_related = ("campaign", "contact")
    search_fields = ("address__startswith",)
    search_help_text = "Beginning of the address"
    ordering = ("-id",)
    fields = (
        "campaign", "contact", "address", "mailbox", "linkedin_account", "state", "reason", "step_number",
        "due_at", "parked_until", "replied_at", "connected_at", "clicked_at", "intent",
    )  # fmt: skip
    buttons = (
        Button("pause", "Pause", "pause", may_pause),
        Button("resume", "Resume", "play_arrow", lambda row: row.state == State.PAUSED, primary=True),
        Button("release", "Release", "lock_open", lambda row: row.state == State.HELD, primary=True),
        Button("remove", "Remove from the campaign", "person_remove", lambda row: row.state != State.STOPPED,
               "Nothing more will go to this contact from this campaign. Remove it?"),
        Button("jump", "Go to step", when=lambda row: False),
    )  # fmt: skip
    actions = ("pause_all", "resume_all", "release_all", "remove_all")

    @display(description="contact", header=True)
    def shown_who(self, enrolment: Enrolment):
        contact = enrolment.contact
        name = f"{contact.first_name} {contact.last_name}".strip()
        return name or enrolment.address or contact.linkedin_url, enrolment.address

    @display(description="state", label=LABELS)
    def shown_state(self, enrolment: Enrolment) -> str:
        return enrolment.state.replace("_", " ")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_object(request, object_id)
        menu = {"menu": self.later_steps(row)} if row and self.may_write(request) else {}
        return super().change_view(request, object_id, form_url, menu | (extra_context or {}))

    def later_steps(self, enrolment: Enrolment) -> dict[str, Any]:
        """A menu of the steps that the contact has not had."""
        if enrolment.state == State.STOPPED:
            return {}
        had = enrolment.messages.exclude(state="cancelled").values_list("step_number", flat=True)
        steps = SequenceStep.objects.filter(campaign=enrolment.campaign_id).exclude(number__in=list(had))
        choices = [Choice(one.number, f"{one.number}: {one.get_channel_display()}") for one in steps]
        address = self.address("press", enrolment.pk, "jump")
        return {"label": "Go to step", "icon": "step_over", "name": "step", "address": address,
                "choices": choices}  # fmt: skip

    def press_pause(self, request, enrolment) -> str:
        pause_enrolment(enrolment, by=request.user)
        return "Paused: nothing more is begun for this contact until you let it go on."

    def press_resume(self, request, enrolment) -> str:
        resume_enrolment(enrolment, by=request.user)
        return "It goes on."

    def press_release(self, request, enrolment) -> str:
        release_enrolment(enrolment, by=request.user)
        return "Released: it waits for its turn."

    def press_remove(self, request, enrolment) -> str:
        remove_enrolment(enrolment, by=request.user)
        return "Removed from the campaign. What was sent stays on record."

    def press_jump(self, request, enrolment) -> str:
        step = request.POST.get("step", "")
        jump(enrolment, int(step) if step.isdecimal() and len(step) < 4 else 0, by=request.user)
        return f"Step {enrolment.step_number} is next."

    def has_move_permission(self, request) -> bool:
        return self.may_write(request)

    @action(description="Pause", permissions=["move"])
    def pause_all(self, request, queryset):
        self.all_of(request, queryset, pause_enrolment, "paused")

    @action(description="Resume", permissions=["move"])
    def resume_all(self, request, queryset):
        self.all_of(request, queryset, resume_enrolment, "resumed")

    @action(description="Release those that are held", permissions=["move"])
    def release_all(self, request, queryset):
        self.all_of(request, queryset, release_enrolment, "released")

    @action(description="Remove from their campaigns", permissions=["move"])
    def remove_all(self, request, queryset):
        self.all_of(request, queryset, remove_enrolment, "removed")

    def all_of(self, request, queryset, verb: Callable[..., Any], done: str) -> None:
        rows = list(queryset.select_related("contact", "campaign"))
        count = self.each(request, rows, lambda request, row: verb(row, by=request.user))
        self.message_user(request, f"{count:,} {done}.")
