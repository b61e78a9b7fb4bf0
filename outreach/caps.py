"""Daily allowances as counter rows: raised in the transaction that claims, lowered when a claim returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from django.db import connection
from django.db.models import F

from outreach.models import Campaign, CapCounter, EmailAccount, Message


def scope_of(owner: Campaign | EmailAccount) -> str:
    return f"{'campaign' if isinstance(owner, Campaign) else 'mailbox'}:{owner.pk}"


def take(scope: str, day: date, wanted: int, cap: int | None) -> int:
    """Raise the counter by as much of `wanted` as the cap leaves; the row is locked until the commit."""
    CapCounter.objects.bulk_create([CapCounter(scope=scope, day=day)], ignore_conflicts=True)
    rows = CapCounter.objects.filter(scope=scope, day=day)
    if connection.vendor == "postgresql":
        rows = rows.select_for_update()
    used = rows.get().used
    granted = wanted if cap is None else max(0, min(wanted, cap - used))
    if granted:
        CapCounter.objects.filter(scope=scope, day=day).update(used=F("used") + granted)
    return granted


def give_back(messages: Iterable[Message]) -> None:
    """Lower the counters that these claimed messages had raised: they go back to the queue unsent."""
    taken: Counter[tuple[str, date]] = Counter()
    for message in messages:
        if message.mailbox_day:
            taken[f"mailbox:{message.mailbox_id}", message.mailbox_day] += 1
        if message.campaign_day:
            taken[f"campaign:{message.campaign_id}", message.campaign_day] += 1
    for (scope, day), count in sorted(taken.items()):
        CapCounter.objects.filter(scope=scope, day=day, used__gte=count).update(used=F("used") - count)


def used_by_day(scopes: list[str], since: date) -> dict[str, Counter[date]]:
    found: dict[str, Counter[date]] = {scope: Counter() for scope in scopes}
    for counter in CapCounter.objects.filter(scope__in=scopes, day__gte=since):
        found[counter.scope][counter.day] = counter.used
    return found
