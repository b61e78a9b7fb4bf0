"""How campaigns and their templates are answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from rest_framework import serializers

from outreach.campaign_facts import SCHEDULE
from outreach.models import Campaign, EmailAccount, Enrolment, LinkedInAccount, Message
from outreach.statistics import campaign_counts
from pipelime.api.native.sequences import (
    SETTINGS_COLUMNS,
    CampaignSettingsSerializer,
    ScheduleSerializer,
    SequenceStepSerializer,
    own_settings,
    schedule,
)
from pipelime.api.native.shapes import Computed, Shaped

IDS = serializers.ListField(child=serializers.UUIDField())


class CountsSerializer(serializers.Serializer):
    """Contacts by how far they are, and messages by what became of them."""

    contacts = serializers.DictField(child=serializers.IntegerField())
    messages = serializers.DictField(child=serializers.IntegerField())


class CampaignTemplateSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    steps = SequenceStepSerializer(many=True)
    schedule = Computed(schedule, *SCHEDULE, kind=ScheduleSerializer())
    daily_limit = serializers.IntegerField(allow_null=True)
    settings = Computed(own_settings, *SETTINGS_COLUMNS, kind=CampaignSettingsSerializer())
    created_at = serializers.DateTimeField()


class CampaignSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Campaign.Status.choices)
    steps = SequenceStepSerializer(many=True)
    schedule = Computed(schedule, *SCHEDULE, kind=ScheduleSerializer())
    email_account_ids = Computed(kind=IDS)
    linkedin_account_ids = Computed(kind=IDS)
    daily_limit = serializers.IntegerField(allow_null=True)
    settings = Computed(own_settings, *SETTINGS_COLUMNS, kind=CampaignSettingsSerializer())
    counts = Computed(int, "pk", kind=CountsSerializer())
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @classmethod
    def rows(cls, queryset: models.QuerySet) -> list[dict[str, Any]]:
        return with_figures(super().rows(queryset))

    @classmethod
    def page(cls, queryset: models.QuerySet, *keys: str) -> tuple[list[dict[str, Any]], list[tuple]]:
        rows, values = super().page(queryset, *keys)
        return with_figures(rows), values

    def to_representation(self, instance: models.Model) -> dict[str, Any]:
        return with_figures([super().to_representation(instance)])[0]


def with_figures(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Counts and senders of a whole page at once; until then `counts` holds the row's key."""
    keys = [row["counts"] for row in rows]
    counts = campaign_counts([Campaign(pk=pk) for pk in keys])
    mailboxes, profiles = senders(EmailAccount, keys), senders(LinkedInAccount, keys)
    for row, pk in zip(rows, keys, strict=True):
        row["counts"] = by_subject(counts[pk])
        row["email_account_ids"], row["linkedin_account_ids"] = mailboxes[pk], profiles[pk]
    return rows


def by_subject(counts: dict[str, int]) -> dict[str, dict[str, int]]:
    contacts = {"total": counts["contacts"]} | {state: counts[state] for state in Enrolment.State.values}
    return {
        "contacts": contacts,
        "messages": {state: counts[f"messages_{state}"] for state in Message.State.values},
    }


def senders(model: Any, keys: Sequence[int]) -> dict[int, list[Any]]:
    """What each campaign sends from, as far as it is connected; the rest is not offered any more."""
    found: dict[int, list[Any]] = {pk: [] for pk in keys}
    pairs = model.objects.alive().filter(campaigns__in=keys).order_by("pk").values_list("campaigns", "uid")
    for pk, uid in pairs:
        found[pk].append(uid)
    return found
