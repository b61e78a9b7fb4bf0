"""Campaigns in the workspace: one page to write, start, watch and pause one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from unfold.decorators import display

from crm.importing.values import email_key
from crm.models import Contact
from outreach.admin.campaign_forms import AddForm, CampaignForm, StepForms, step_facts, steps_given, usual
from outreach.campaigns import (
    create_campaign,
    delete_campaign,
    pause_campaign,
    problems,
    start_campaign,
    update_campaign,
)
from outreach.enrolling import enrol
from outreach.models import Campaign, Message
from outreach.previewing import preview, send_test
from outreach.statistics import campaign_counts
from pipelime.backoffice.admin import Button, WorkspaceAdmin, account_of
from pipelime.errors import Invalid, NotFound, PipelimeError

Status = Campaign.Status
LABELS = {"Draft": "default", "Started": "success", "Paused": "warning", "Finished": "info"}
LEFT_OUT = {
    "no_email": "have no e-mail address", "already_in_campaign": "are in it already",
    "in_other_campaign": "are in another campaign", "unsubscribed": "have unsubscribed", "bounced": "bounced",
    "complained": "complained", "blocked": "are blocked", "deleted": "are deleted",
}  # fmt: skip
MESSAGES_SHOWN = 10
CONTACTS_OFFERED = 20


def may_start(campaign: Campaign) -> bool:
    return campaign.status in (Status.DRAFT, Status.PAUSED)


@admin.register(Campaign)
class CampaignAdmin(WorkspaceAdmin):
    list_display = ("name", "shown_status", "shown_contacts", "shown_sent", "created_at")
    list_filter = ("status",)
    search_fields = ("name__istartswith",)
    ordering = ("-id",)
    buttons = (
        Button("start", "Start", "play_arrow", may_start, primary=True),
        Button("pause", "Pause", "pause", lambda campaign: campaign.status == Status.STARTED),
        Button("save", "Save"),
        Button("add", "Add contacts"),
        Button("test", "Send me a test"),
    )

    def get_changelist_instance(self, request):
        """The figures of a whole page at once."""
        found = super().get_changelist_instance(request)
        counts = campaign_counts(found.result_list)
        for campaign in found.result_list:
            campaign.counts = counts[campaign.pk]
        return found

    @display(description="status", label=LABELS)
    def shown_status(self, campaign: Campaign) -> str:
        return campaign.get_status_display()

    @display(description="contacts")
    def shown_contacts(self, campaign: Campaign) -> int:
        return campaign.counts["contacts"]

    @display(description="sent")
    def shown_sent(self, campaign: Campaign) -> int:
        return campaign.counts["messages_sent"]

    def get_urls(self):
        view = self.admin_site.admin_view(self.preview)
        return [
            path("<path:object_id>/preview/", view, name="outreach_campaign_preview"),
            *super().get_urls(),
        ]

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        data = request.POST or None
        form, steps = CampaignForm(None, data, usual(account_of(request))), StepForms(data, prefix="steps")
        if data and form.is_valid() and steps.is_valid():
            given = form.given() | {"steps": steps_given(steps, [])}
            try:
                campaign = create_campaign(account_of(request), by=request.user, **given)
                return redirect(self.address("change", campaign.pk))
            except Invalid as refusal:
                take(form, refusal)
        return self.page(request, "backoffice/campaign.html", "New campaign", form=form, steps=steps)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return self.show(request, self.row_or_404(request, object_id))

    def show(self, request: HttpRequest, campaign: Campaign, **bound: Any) -> HttpResponse:
        stored = [step_facts(step) for step in campaign.steps.all()]
        sent = Message.objects.filter(campaign=campaign).order_by("-pk")
        context = {
            "campaign": campaign,
            "original": campaign,
            "form": CampaignForm(campaign),
            "steps": StepForms(initial=stored, prefix="steps"),
            "adding": AddForm(),
            "problems": problems(campaign) if may_start(campaign) else [],
            "counts": campaign_counts([campaign])[campaign.pk],
            "mails": sent[:MESSAGES_SHOWN],
            "offered": offered(campaign),
            "may": {button.name for button in self.buttons_for(request, campaign)},
            "press": {
                button.name: self.address("press", campaign.pk, button.name) for button in self.buttons
            },
            "preview_url": self.address("preview", campaign.pk),
            "history": self.history(campaign),
        }
        return self.page(request, "backoffice/campaign.html", campaign.name, **context | bound)

    def press_save(self, request, campaign) -> HttpResponse | str:
        stored = list(campaign.steps.all())
        form = CampaignForm(campaign, request.POST)
        steps = StepForms(request.POST, initial=[step_facts(step) for step in stored], prefix="steps")
        if form.is_valid() and steps.is_valid():
            given = form.given() | {"steps": steps_given(steps, stored)}
            try:
                update_campaign(campaign, by=request.user, **given)
                return "The campaign is saved."
            except Invalid as refusal:
                take(form, refusal)
        return self.show(request, self.row_or_404(request, str(campaign.pk)), form=form, steps=steps)

    def press_start(self, request, campaign) -> str:
        start_campaign(campaign, by=request.user)
        return f"{campaign.name} is running."

    def press_pause(self, request, campaign) -> str:
        pause_campaign(campaign, by=request.user)
        return f"{campaign.name} pauses; start it again whenever you like."

    def press_add(self, request, campaign) -> HttpResponse | str:
        form = AddForm(request.POST)
        if not form.is_valid():
            return self.show(request, campaign, adding=form)
        result = enrol(campaign, form.contacts(), by=request.user)
        for code, count in result.left_out.items():
            self.message_user(
                request, f"Left out: {count:,} that {LEFT_OUT.get(code, code)}.", messages.WARNING
            )
        return f"Contacts added: {result.added:,}."

    def press_test(self, request, campaign) -> str:
        contact = contact_with(request.POST.get("who", ""))
        step = whole(request.POST.get("step", "1"))
        answer = send_test(campaign, step=step, contact=contact, to=request.user.email, by=request.user)
        return f"Sent to {request.user.email}. The server said: {answer}"

    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = self.row_or_404(request, object_id)
        who, step = request.GET.get("who", ""), whole(request.GET.get("step", "1"))
        try:
            mail = preview(campaign, contact_with(who), step=step)
        except PipelimeError as refusal:
            mail = {"problems": [str(refusal)]}
        context = {
            "campaign": campaign, "mail": mail, "who": who, "step": step, "offered": offered(campaign),
            "test_url": self.address("press", campaign.pk, "test"), "back": self.address("change",
            campaign.pk),
            "numbers": range(1, campaign.steps.count() + 1),
        }  # fmt: skip
        return self.page(
            request, "backoffice/campaign_preview.html", f"Preview of {campaign.name}", **context
        )

    def remove(self, request, row):
        delete_campaign(row, by=request.user)


def take(form: CampaignForm, refusal: Invalid) -> None:
    """Onto the field it names when the form has it, else above the form."""
    for name, said in (refusal.fields or {"": [str(refusal)]}).items():
        form.add_error(name if name in form.fields else None, list(said))


def offered(campaign: Campaign) -> list[Contact]:
    """Contacts to try the words on: those of the campaign first."""
    mine = Contact.objects.alive().filter(enrolments__campaign=campaign).order_by("pk")
    found = list(mine.prefetch_related("emails")[:CONTACTS_OFFERED])
    return found or list(Contact.objects.alive().prefetch_related("emails").order_by("pk")[:CONTACTS_OFFERED])


def contact_with(address: str) -> Contact:
    contact = (
        Contact.objects.alive().with_address(email_key(address.strip())).first() if address.strip() else None
    )
    if contact is None:
        raise NotFound(f"No contact has the address {address!r}; choose one of the list")
    return contact


def whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 1
