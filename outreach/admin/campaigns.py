"""Campaigns in the workspace: one page to write, start, watch and pause one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from unfold.decorators import display

from outreach.admin.campaign_forms import AddForm, usual
from outreach.admin.campaign_page import (
    contact_with,
    editor,
    editor_of,
    elsewhere,
    given,
    is_valid,
    offered,
    places,
    take,
    whole,
)
from outreach.admin.foresight import ForesightPages
from outreach.campaign_facts import facts
from outreach.campaigns import (
    create_campaign,
    delete_campaign,
    pause_campaign,
    start_campaign,
    update_campaign,
)
from outreach.cloning import clone, save_as_template, template_named
from outreach.deliverability import links
from outreach.enrolling import enrol
from outreach.enrolments import jump, pause_enrolment, release_enrolment, remove_enrolment, resume_enrolment
from outreach.models import Campaign, Enrolment, Message
from outreach.previewing import preview, send_test
from outreach.readiness import problems, warnings
from outreach.starters import STARTERS, Starter
from outreach.statistics import campaign_counts
from pipelime.backoffice.admin import Button, account_of
from pipelime.errors import Conflict, Invalid, NotFound, PipelimeError

Status = Campaign.Status
LABELS = {"Draft": "default", "Started": "success", "Paused": "warning", "Finished": "info"}
LEFT_OUT = {
    "no_email": "have no e-mail address", "no_linkedin": "have no LinkedIn page",
    "already_in_campaign": "are in it already", "in_other_campaign": "are in another campaign",
    "unsubscribed": "have unsubscribed", "bounced": "bounced", "complained": "complained",
    "blocked": "are blocked", "deleted": "are deleted",
}  # fmt: skip
MESSAGES_SHOWN = 10
VERBS = {
    "pause": pause_enrolment,
    "resume": resume_enrolment,
    "remove": remove_enrolment,
    "release": release_enrolment,
}


def may_start(campaign: Campaign) -> bool:
    return campaign.status in (Status.DRAFT, Status.PAUSED)


@admin.register(Campaign)
class CampaignAdmin(ForesightPages):
    when_empty = (
        "A campaign writes to many people in steps, within the hours that you choose, and stops when "
        "they answer."
    )
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
        Button("links", "Check the links"),
        Button("clone", "Copy", "content_copy"),
        Button("template", "Save as template", "bookmark_add"),
        Button("place", "Move a contact"),
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
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/preview/", view(self.preview), name="outreach_campaign_preview"),
            path(
                "templates/<str:key>/delete/", view(self.delete_template), name="outreach_campaign_template"
            ),
            *super().get_urls(),
        ]

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        data = request.POST or None
        begin, name = self.beginning(request)
        page = editor(begin, data, name=name)
        if data and is_valid(page):
            try:
                campaign = create_campaign(account_of(request), by=request.user, **given(page))
                return redirect(self.address("change", campaign.pk))
            except Invalid as refusal:
                take(page["form"], refusal)
        templates = {"starters": STARTERS.values(), "templates": Campaign.objects.templates(), "begun": name}
        return self.page(request, "backoffice/campaign.html", "New campaign", **page | templates)

    def beginning(self, request: HttpRequest) -> tuple[dict[str, Any], str]:
        """The facts and the name that a new campaign starts with: those of a template, if one is chosen."""
        key, own = request.GET.get("template", ""), usual(account_of(request))
        if not key:
            return own, ""
        template = template_named(key)
        base = template.facts if isinstance(template, Starter) else facts(template)
        both = {name: own.get(name, {}) | base.get(name, {}) for name in ("schedule", "settings")}
        return own | base | both, template.name

    def delete_template(self, request: HttpRequest, key: str) -> HttpResponse:
        if request.method != "POST" or not self.has_delete_permission(request):
            raise PermissionDenied
        template = template_named(key)
        if isinstance(template, Campaign):
            delete_campaign(template, by=request.user)
            self.message_user(request, f"The template {template} is deleted.")
        return redirect(self.address("add"))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return self.show(request, self.row_or_404(request, object_id))

    def show(self, request: HttpRequest, campaign: Campaign, **bound: Any) -> HttpResponse:
        sent = Message.objects.filter(campaign=campaign).order_by("-pk")
        context = {
            "campaign": campaign,
            "original": campaign,
            **(editor_of(campaign) if "form" not in bound else {}),
            "adding": AddForm(),
            "problems": problems(campaign) if may_start(campaign) else [],
            "warnings": warnings(campaign) if campaign.status != Status.FINISHED else [],
            "counts": campaign_counts([campaign])[campaign.pk],
            "places": places(campaign),
            "mails": sent[:MESSAGES_SHOWN],
            "may": {button.name for button in self.buttons_for(request, campaign)},
            "press": {
                button.name: self.address("press", campaign.pk, button.name) for button in self.buttons
            },
            "preview_url": self.address("preview", campaign.pk),
            "elsewhere": elsewhere(campaign),
            "history": self.history(campaign),
        }
        return self.page(request, "backoffice/campaign.html", campaign.name, **context | bound)

    def press_save(self, request, campaign) -> HttpResponse | str:
        page = editor_of(campaign, request.POST)
        if is_valid(page):
            seen_at = page["form"].cleaned_data["seen_at"]
            try:
                update_campaign(campaign, by=request.user, seen_at=seen_at, **given(page))
                return "The campaign is saved."
            except (Invalid, Conflict) as refusal:
                take(page["form"], refusal)
        return self.show(request, self.row_or_404(request, str(campaign.pk)), **page)

    def press_clone(self, request, campaign) -> HttpResponse:
        made = clone(campaign, by=request.user, name=f"{campaign.name[:240]} (copy)")
        self.message_user(request, f"This is a copy of {campaign.name}, with nobody in it yet.")
        return redirect(self.address("change", made.pk))

    def press_template(self, request, campaign) -> str:
        save_as_template(campaign, by=request.user, name=campaign.name)
        return "Saved as a template: new campaigns can begin with it."

    def press_place(self, request, campaign) -> HttpResponse:
        """One contact of the campaign is paused, resumed, released, removed or moved to another step."""
        row = Enrolment.objects.filter(campaign=campaign, pk=whole(request.POST.get("place", ""))).first()
        verb = request.POST.get("verb", "")
        if row is None or verb not in (*VERBS, "jump"):
            raise NotFound("There is no such contact in this campaign")
        if verb == "jump":
            jump(row, whole(request.POST.get("step", "")), by=request.user)
        else:
            VERBS[verb](row, by=request.user)
        self.message_user(request, f"{row.contact}: {row.state.replace('_', ' ')}, step {row.step_number}.")
        return redirect(f"{self.address('change', campaign.pk)}#contacts")

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

    def press_links(self, request, campaign) -> str:
        dead = links.broken(campaign)
        for fault in dead:
            self.message_user(request, fault, messages.WARNING)
        return "" if dead else "Every link in its words works, as far as they are the same for all contacts."

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
