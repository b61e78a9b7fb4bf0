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


def left(scope: str, day: date, cap: int) -> int:
    """What the cap still allows; the counter stays locked until the commit, so that `use` may follow."""
    CapCounter.objects.bulk_create([CapCounter(scope=scope, day=day)], ignore_conflicts=True)
    rows = CapCounter.objects.filter(scope=scope, day=day)
    if connection.vendor == "postgresql":
        rows = rows.select_for_update()
    return max(0, cap - rows.get().used)


def use(scope: str, day: date, count: int) -> None:
    if count:
        CapCounter.objects.filter(scope=scope, day=day).update(used=F("used") + count)


def give_back(messages: Iterable[Message]) -> None:
    """Lower the counters that these messages had raised: they will not be sent under this claim."""
    taken: Counter[tuple[int, int, date]] = Counter()
    for message in messages:
        if message.mailbox_day and message.mailbox_id:
            taken[0, message.mailbox_id, message.mailbox_day] += 1
        if message.campaign_day and message.campaign_id:
            taken[1, message.campaign_id, message.campaign_day] += 1
    # Mailboxes first, then campaigns by id: the order in which a claim locks them.
    for (kind, pk, day), count in sorted(taken.items()):
        scope = f"{('mailbox', 'campaign')[kind]}:{pk}"
        CapCounter.objects.filter(scope=scope, day=day, used__gte=count).update(used=F("used") - count)


def used_by_day(scopes: list[str], since: date) -> dict[str, Counter[date]]:
    found: dict[str, Counter[date]] = {scope: Counter() for scope in scopes}
    for counter in CapCounter.objects.filter(scope__in=scopes, day__gte=since):
        found[counter.scope][counter.day] = counter.used
    return found
