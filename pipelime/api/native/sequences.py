"""What a campaign says and when: its steps, schedule and settings, as the API shows and takes them."""

from __future__ import annotations

from datetime import date
from typing import Any

from rest_framework import serializers

from outreach.models import SequenceStep
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


def schedule(time_zone: str, windows: list, starts_on: date | None, ends_on: date | None) -> dict[str, Any]:
    return {"time_zone": time_zone, "windows": windows, "starts_on": starts_on, "ends_on": ends_on}


def own_settings(stop_on_reply: bool, postal_address: str, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "stop_on_reply": stop_on_reply,
        "postal_address": postal_address,
        "allow_in_other_campaigns": bool(options.get("allow_in_other_campaigns")),
    }


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
    subject = serializers.CharField(
        required=False, allow_blank=True, help_text="Empty in a follow-up: the thread's subject."
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
    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True)


class CampaignSettingsInput(Input):
    stop_on_reply = serializers.BooleanField(required=False)
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
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)


class CampaignSettingsSerializer(serializers.Serializer):
    stop_on_reply = serializers.BooleanField()
    postal_address = serializers.CharField()
    allow_in_other_campaigns = serializers.BooleanField()
