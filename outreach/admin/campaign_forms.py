"""The forms of a campaign's page: whom it writes as, when and how, and who is added."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDateWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from crm.models import Contact, ImportJob, ImportRow, Tag
from outreach.campaign_facts import SCHEDULE, SETTINGS
from outreach.models import Campaign, EmailAccount, LinkedInAccount
from pipelime.backoffice.choices import time_zones
from pipelime.search import documents

WORKING_DAYS = ["mon", "tue", "wed", "thu", "fri"]


def switch(label: str) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, widget=UnfoldBooleanSwitchWidget)


def senders(label: str) -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        EmailAccount.objects.none(),
        label=label,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


class CampaignForm(forms.Form):
    seen_at = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=250, widget=UnfoldAdminTextInputWidget)
    mailboxes = senders("Mails go out from")
    linkedin_accounts = senders("On LinkedIn, from")
    daily_limit = forms.IntegerField(
        label="Mails a day, at most", min_value=1, required=False,
        help_text="Empty: what the mailboxes allow.",
        widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip
    time_zone = forms.ChoiceField(choices=time_zones, widget=UnfoldAdminSelectWidget)
    window_zone = forms.ChoiceField(
        label="The hours are in whose time zone", choices=Campaign.WindowZone.choices, required=False,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    holidays = forms.CharField(
        label="Not on public holidays of", required=False, help_text="A country or region: FR, US, DE-BY.",
        widget=UnfoldAdminTextInputWidget,
    )  # fmt: skip
    starts_on = forms.DateField(label="First day", required=False, widget=UnfoldAdminDateWidget)
    ends_on = forms.DateField(label="Last day", required=False, widget=UnfoldAdminDateWidget)
    priority = forms.ChoiceField(
        label="When a day is too short", choices=Campaign.Priority.choices, required=False,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    stop_on_reply = switch("Stop for whoever replies")
    stop_on_company_reply = switch("Stop for their whole company, too")
    track_opens = switch("Count opens")
    track_clicks = switch("Count clicks")
    allow_in_other_campaigns = switch("Take contacts whom another campaign is writing to")
    postal_address = forms.CharField(
        label="Postal address", required=False, help_text="Empty: the account's own.",
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
    )  # fmt: skip

    SWITCHES = (
        "stop_on_reply", "stop_on_company_reply", "track_opens", "track_clicks", "allow_in_other_campaigns",
    )  # fmt: skip

    def __init__(self, data: Any = None, initial: Mapping[str, Any] | None = None):
        super().__init__(data, initial=initial)
        self.fields["mailboxes"].queryset = EmailAccount.objects.alive()
        self.fields["linkedin_accounts"].queryset = LinkedInAccount.objects.alive()

    def clean_seen_at(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.cleaned_data["seen_at"])
        except ValueError:
            return None

    @property
    def switches(self) -> list[forms.BoundField]:
        return [self[name] for name in self.SWITCHES]

    def given(self, windows: list[dict[str, Any]]) -> dict[str, Any]:
        """In the words of the verbs; a choice that was left out stays as it is."""
        values = {name: value for name, value in self.cleaned_data.items() if value != "" or name in TEXTS}
        return {
            "name": values["name"],
            "mailboxes": list(values["mailboxes"]),
            "linkedin_accounts": list(values["linkedin_accounts"]),
            "daily_limit": values["daily_limit"],
            "schedule": {name: values[name] for name in SCHEDULE if name in values} | {"windows": windows},
            "settings": {name: values[name] for name in SETTINGS if name in values},
        }


TEXTS = ("holidays", "postal_address")


def shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    """A campaign's facts as the form shows them."""
    senders = {name: facts.get(name, []) for name in ("mailboxes", "linkedin_accounts")}
    limit = {"daily_limit": facts.get("daily_limit")}
    return {**senders, **limit, **facts.get("schedule", {}), **facts.get("settings", {})}


def usual(account: Any) -> dict[str, Any]:
    """The facts that a new campaign begins with: office hours, and the first mailbox."""
    return {
        "steps": [{"channel": "email"}],
        "schedule": {
            "time_zone": account.time_zone,
            "windows": [{"days": WORKING_DAYS, "from": "09:00", "to": "17:00"}],
        },
        "settings": {"stop_on_reply": True},
        "mailboxes": list(EmailAccount.objects.alive()[:1]),
    }


class AddForm(forms.Form):
    """Whom to add: everybody, a tag, what an import brought, or what a search finds."""

    source = forms.ChoiceField(
        label="Add",
        choices=[("tag", "contacts with a tag"), ("import", "contacts of an import"),
                 ("search", "contacts that a search finds"), ("all", "all contacts")],
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    tag = forms.ModelChoiceField(Tag.objects.none(), required=False, widget=UnfoldAdminSelectWidget)
    job = forms.ModelChoiceField(
        ImportJob.objects.none(), label="Import", required=False, widget=UnfoldAdminSelectWidget
    )
    words = forms.CharField(label="Search", required=False, widget=UnfoldAdminTextInputWidget)

    def __init__(self, data: Any = None):
        super().__init__(data)
        self.fields["tag"].queryset = Tag.objects.all()
        self.fields["job"].queryset = ImportJob.objects.filter(kind="contacts", status="done")

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        wanted = {"tag": "tag", "import": "job", "search": "words"}.get(values.get("source", ""))
        if wanted and not values.get(wanted):
            self.add_error(wanted, "Choose one, or add somebody else.")
        return values

    def contacts(self) -> Any:
        values, everybody = self.cleaned_data, Contact.objects.alive()
        if values["source"] == "tag":
            return everybody.filter(tags=values["tag"])
        if values["source"] == "import":
            rows = ImportRow.objects.filter(job=values["job"], outcome__in=["created", "updated"])
            return everybody.filter(pk__in=rows.values("object_id"))
        if values["source"] == "search":
            return everybody.filter(pk__in=documents.find("contact", values["words"]))
        return everybody
