"""The forms of a campaign's page: its words, its hours, and who is added."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import formset_factory
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
from outreach.models import Campaign, EmailAccount, SequenceStep
from outreach.windows import DAYS
from pipelime.backoffice.choices import time_zones
from pipelime.search import documents

DAY_NAMES = dict(zip(DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
WORKING_DAYS = list(DAYS[:5])
UNITS = ("days", "business_days", "hours")


def number(label: str, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=0, required=False, widget=UnfoldAdminIntegerFieldWidget, **kwargs
    )


class CampaignForm(forms.Form):
    name = forms.CharField(max_length=250, widget=UnfoldAdminTextInputWidget)
    mailboxes = forms.ModelMultipleChoiceField(
        EmailAccount.objects.none(),
        label="Sends from",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    daily_limit = forms.IntegerField(
        label="Mails a day, at most", min_value=1, required=False,
        help_text="Empty: what the mailboxes allow.",
        widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip
    days = forms.MultipleChoiceField(
        label="On",
        choices=list(DAY_NAMES.items()),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    begins = forms.CharField(
        label="From", required=False, widget=UnfoldAdminTextInputWidget({"placeholder": "09:00"})
    )
    ends = forms.CharField(
        label="To", required=False, widget=UnfoldAdminTextInputWidget({"placeholder": "17:00"})
    )
    time_zone = forms.ChoiceField(choices=time_zones, widget=UnfoldAdminSelectWidget)
    starts_on = forms.DateField(label="First day", required=False, widget=UnfoldAdminDateWidget)
    ends_on = forms.DateField(label="Last day", required=False, widget=UnfoldAdminDateWidget)
    stop_on_reply = forms.BooleanField(
        label="Stop for whoever replies", required=False, widget=UnfoldBooleanSwitchWidget
    )
    postal_address = forms.CharField(
        label="Postal address", required=False, help_text="Empty: the account's own.",
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
    )  # fmt: skip

    def __init__(self, campaign: Campaign | None, data: Any = None, initial: dict[str, Any] | None = None):
        super().__init__(data, initial=initial or (facts(campaign) if campaign else {}))
        self.fields["mailboxes"].queryset = EmailAccount.objects.alive()
        self.campaign = campaign
        # What was set over the API may be finer than these fields, and is then left alone.
        self.several_windows = campaign is not None and len(campaign.windows) > 1
        if self.several_windows:
            for name in ("days", "begins", "ends"):
                del self.fields[name]

    def given(self) -> dict[str, Any]:
        values = self.cleaned_data
        schedule: dict[str, Any] = {name: values[name] for name in ("time_zone", "starts_on", "ends_on")}
        if not self.several_windows:
            schedule["windows"] = window(values)
        return {
            "name": values["name"],
            "mailboxes": list(values["mailboxes"]),
            "daily_limit": values["daily_limit"],
            "schedule": schedule,
            "settings": {name: values[name] for name in ("stop_on_reply", "postal_address")},
        }


def window(values: dict[str, Any]) -> list[dict[str, Any]]:
    """No day chosen means at any time."""
    if not values["days"]:
        return []
    return [{"days": values["days"], "from": values["begins"] or "00:00", "to": values["ends"] or "24:00"}]


def facts(campaign: Campaign) -> dict[str, Any]:
    hours = campaign.windows[0] if campaign.windows else {}
    names = ("name", "daily_limit", "time_zone", "starts_on", "ends_on", "stop_on_reply", "postal_address")
    return {
        **{name: getattr(campaign, name) for name in names},
        "mailboxes": campaign.mailboxes.all(),
        "days": hours.get("days", []),
        "begins": hours.get("from", ""),
        "ends": hours.get("to", ""),
    }


class StepForm(forms.Form):
    subject = forms.CharField(
        required=False, max_length=998, widget=UnfoldAdminTextInputWidget,
        help_text="A follow-up without one goes on in the thread of the first mail.",
    )  # fmt: skip
    body = forms.CharField(
        label="Text", required=False, strip=False, widget=UnfoldAdminTextareaWidget({"rows": 8})
    )
    days = number("days")
    business_days = number("business days")
    hours = number("hours")

    @property
    def is_blank(self) -> bool:
        return not (self.cleaned_data.get("subject") or (self.cleaned_data.get("body") or "").strip())


StepForms = formset_factory(StepForm, extra=1, can_delete=True)


def step_facts(step: SequenceStep) -> dict[str, Any]:
    delays = {unit: getattr(step, f"delay_{unit}") or None for unit in UNITS}
    return {"subject": step.subject, "body": step.body, **delays}


def steps_given(forms_: Any, stored: list[SequenceStep]) -> list[dict[str, Any]]:
    """The steps as the verb takes them; further variants of a step stay as they are."""
    given = []
    for position, form in enumerate(forms_.forms):
        values = form.cleaned_data
        if values.get("DELETE") or (position >= len(stored) and form.is_blank):
            continue
        words = {"subject": values["subject"], "body": values["body"]}
        step: dict[str, Any] = {"delay": {unit: values[unit] or 0 for unit in UNITS}}
        further = stored[position].variants[1:] if position < len(stored) else []
        first = stored[position].variants[0] | words if further else words
        given.append(step | ({"variants": [first, *further]} if further else words))
    return given


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


def usual(account: Any) -> dict[str, Any]:
    """What a new campaign begins with: office hours, and the first mailbox."""
    first = EmailAccount.objects.alive().values_list("pk", flat=True)[:1]
    return {
        "days": WORKING_DAYS,
        "begins": "09:00",
        "ends": "17:00",
        "time_zone": account.time_zone,
        "stop_on_reply": True,
        "mailboxes": list(first),
    }
