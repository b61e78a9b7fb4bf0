"""What a campaign says and when: its steps, schedule and settings, as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from outreach.campaign_facts import SCHEDULE, SWITCHES
from outreach.models import Campaign, SequenceStep
from outreach.windows import DAYS
from pipelime.api.native.inputs import Input
from pipelime.api.native.shapes import Computed, Shaped

CHANNEL = {"choices": SequenceStep.Channel.choices}


def delay(days: int, business_days: int, hours: int) -> dict[str, int]:
    return {"days": days, "business_days": business_days, "hours": hours}


def first_subject(variants: list[dict[str, Any]]) -> str:
    return variants[0]["subject"] if variants else ""


def first_body(variants: list[dict[str, Any]]) -> str:
    return variants[0]["body"] if variants else ""


def real_choice(variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One variant is no choice: its words are the step's own."""
    return variants if len(variants) > 1 else []


def or_null(condition: str) -> str | None:
    return condition or None


def schedule(*values: Any) -> dict[str, Any]:
    return dict(zip(SCHEDULE, values, strict=True))


SETTINGS_COLUMNS = (*SWITCHES, "priority", "postal_address", "options")


def own_settings(*values: Any) -> dict[str, Any]:
    settings = dict(zip(SETTINGS_COLUMNS, values, strict=True))
    allowed = settings.pop("options").get("allow_in_other_campaigns")
    return settings | {"allow_in_other_campaigns": bool(allowed)}


class DelayInput(Input):
    """Counted from the step before."""

    days = serializers.IntegerField(required=False, help_text="Calendar days, at the same local time.")
    business_days = serializers.IntegerField(required=False)
    hours = serializers.IntegerField(required=False)


class VariantInput(Input):
    key = serializers.CharField(required=False, help_text="A, B, …: given by position.")
    weight = serializers.IntegerField(required=False, help_text="1 unless said otherwise.")
    subject = serializers.CharField(required=False, allow_blank=True)
    body = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)


class SequenceStepInput(Input):
    number = serializers.IntegerField(required=False, help_text="Steps are numbered by their order.")
    channel = serializers.ChoiceField(**CHANNEL, required=False)
    delay = DelayInput(required=False)
    condition = serializers.ChoiceField(
        choices=SequenceStep.Condition.choices,
        required=False,
        allow_null=True,
        help_text="Whoever does not meet it when the step falls due is passed on to the next one.",
    )
    subject = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="Empty in a follow-up: the thread's subject. Of a call or a task its title.",
    )
    body = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, help_text="Liquid.")
    variants = VariantInput(many=True, required=False, help_text="In place of subject and body.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Words beside the variants would be lost: they may only repeat the first one's."""
        variants = attrs.get("variants") or []
        for name in ("subject", "body"):
            if variants and name in attrs and attrs[name] != variants[0].get(name, ""):
                raise serializers.ValidationError({name: ["belongs into the variants when there are any"]})
        return attrs


class WindowInput(Input):
    """Open from the first moment until just before the second."""

    days = serializers.ListField(child=serializers.ChoiceField(choices=DAYS), allow_empty=False)
    vars()["from"] = serializers.CharField(help_text="HH:MM, in the schedule's time zone.")
    to = serializers.CharField(help_text="HH:MM, up to 24:00.")


class ScheduleInput(Input):
    time_zone = serializers.CharField(required=False, help_text="The account's unless said otherwise.")
    windows = WindowInput(many=True, required=False, help_text="None: at any time.")
    window_zone = serializers.ChoiceField(
        choices=Campaign.WindowZone.choices, required=False, help_text="In whose time zone the windows are."
    )
    holidays = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="Nothing goes out on public holidays of this country or region: FR, US, DE-BY, …",
    )
    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True)


class CampaignSettingsInput(Input):
    stop_on_reply = serializers.BooleanField(required=False)
    stop_on_company_reply = serializers.BooleanField(
        required=False, help_text="Stop also for the others of the same company."
    )
    track_opens = serializers.BooleanField(required=False)
    track_clicks = serializers.BooleanField(required=False)
    priority = serializers.ChoiceField(
        choices=Campaign.Priority.choices, required=False, help_text="Who is first when a day is too short."
    )
    postal_address = serializers.CharField(
        required=False, allow_blank=True, help_text="Empty: the account's postal address."
    )
    allow_in_other_campaigns = serializers.BooleanField(
        required=False, help_text="Take contacts whom another campaign is writing to."
    )


class DelaySerializer(serializers.Serializer):
    days = serializers.IntegerField()
    business_days = serializers.IntegerField()
    hours = serializers.IntegerField()


class VariantSerializer(serializers.Serializer):
    key = serializers.CharField()
    weight = serializers.IntegerField()
    subject = serializers.CharField()
    body = serializers.CharField()


class SequenceStepSerializer(Shaped):
    number = serializers.IntegerField()
    channel = serializers.ChoiceField(**CHANNEL)
    delay = Computed(delay, "delay_days", "delay_business_days", "delay_hours", kind=DelaySerializer())
    condition = Computed(
        or_null, "condition", kind=serializers.ChoiceField(SequenceStep.Condition.choices, allow_null=True)
    )
    subject = Computed(first_subject, "variants", kind=serializers.CharField())
    body = Computed(first_body, "variants", kind=serializers.CharField())
    variants = Computed(real_choice, "variants", kind=VariantSerializer(many=True))


class WindowSerializer(serializers.Serializer):
    days = serializers.ListField(child=serializers.ChoiceField(choices=DAYS))
    vars()["from"] = serializers.CharField()
    to = serializers.CharField()


class ScheduleSerializer(serializers.Serializer):
    time_zone = serializers.CharField()
    windows = WindowSerializer(many=True)
    window_zone = serializers.ChoiceField(choices=Campaign.WindowZone.choices)
    holidays = serializers.CharField()
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)


class CampaignSettingsSerializer(serializers.Serializer):
    stop_on_reply = serializers.BooleanField()
    stop_on_company_reply = serializers.BooleanField()
    track_opens = serializers.BooleanField()
    track_clicks = serializers.BooleanField()
    priority = serializers.ChoiceField(choices=Campaign.Priority.choices)
    postal_address = serializers.CharField()
    allow_in_other_campaigns = serializers.BooleanField()
