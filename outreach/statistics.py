"""Figures of campaigns and accounts, from the same rows that the ledger works on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from outreach.models import Campaign, Enrolment, Message
from pipelime.accounts.models import Account
from pipelime.events.models import Event

COUNTED = {"message.replied": "replied", "message.bounced": "bounced", "message.opened": "opened"}


def campaign_counts(campaigns: Iterable[Campaign]) -> dict[int, dict[str, int]]:
    """Per campaign: contacts, how far they are, and messages by state."""
    ids = [campaign.pk for campaign in campaigns]
    counts = {
        pk: {"contacts": 0, **dict.fromkeys(Enrolment.State.values, 0),
             **{f"messages_{state}": 0 for state in Message.State.values}}
        for pk in ids
    }  # fmt: skip
    enrolments = Enrolment.objects.filter(campaign__in=ids).values_list("campaign_id", "state")
    for pk, state, number in enrolments.annotate(number=Count("pk")).order_by():
        counts[pk][state] += number
        counts[pk]["contacts"] += number
    messages = Message.objects.filter(campaign__in=ids).values_list("campaign_id", "state")
    for pk, state, number in messages.annotate(number=Count("pk")).order_by():
        counts[pk][f"messages_{state}"] += number
    return counts


def account_stats(account: Account) -> dict[str, Any]:
    """Messages today and in the last 30 days in the account's own days, and campaigns by status."""
    today = timezone.now().astimezone(account.zone).date()
    periods = {"today": today, "last_30_days": today - timedelta(days=29)}
    statuses = dict(Campaign.objects.alive().values_list("status").annotate(number=Count("pk")).order_by())
    return {
        "campaigns": {status: statuses.get(status, 0) for status in Campaign.Status.values},
        "messages": {
            name: period_stats(datetime.combine(day, time(), account.zone)) for name, day in periods.items()
        },
    }


def period_stats(since: datetime) -> dict[str, Any]:
    sent = Message.objects.filter(state="sent", sent_at__gte=since)
    is_tracked = Q(campaign__track_opens=True, channel=Message.Channel.EMAIL)
    mails = sent.aggregate(
        all=Count("pk"),
        tracked=Count("pk", filter=is_tracked),
        opened=Count("pk", filter=is_tracked & Q(opened_at__isnull=False)),
    )
    happened = dict(
        Event.objects.filter(name__in=COUNTED, at__gte=since)
        .values_list("name")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return {
        "sent": mails["all"],
        **{short: happened.get(name, 0) for name, short in COUNTED.items()},
        "ambiguous": Message.objects.filter(state="ambiguous", created_at__gte=since).count(),
        # Of mails whose opening is told to us at all, and by people; without any there is no rate to show.
        "open_rate": round(mails["opened"] / mails["tracked"], 4) if mails["tracked"] else None,
    }
