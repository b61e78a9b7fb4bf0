"""A claim's way through the day's counters: what fits is counted, the rest waits for its next day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from outreach import caps
from outreach.models import Campaign, EmailAccount, Message
from outreach.windows import schedule_for, zone_named, zone_of
from pipelime import ledger
from pipelime.accounts.models import Account


class Claimed(NamedTuple):
    """What the caps want to know of a message."""

    id: int
    campaign_id: int | None
    address: str

    def domain_scope(self, account: Account) -> str:
        return caps.scope_of_domain(account.pk, caps.domain_of(self.address))


def within_caps(mailbox: EmailAccount, fences: dict[int, int], now: datetime) -> list[int]:
    """Whatever fits into its counters, which it raises; the rest waits for its next day.

    The mailbox's counter is locked first, then campaigns' by id, then the account's and its domains'.
    """
    counted = Message.objects.filter(pk__in=fences).exclude(caps.UNCOUNTED).order_by("due_at", "pk")
    fitting = [Claimed(*row) for row in counted.values_list("pk", "campaign_id", "to_address")]
    uncounted = set(fences) - {one.id for one in fitting}
    if fitting:
        fitting = within_mailbox(mailbox, fitting, fences, now)
    campaigns = sorted(campaigns_of(fitting).values(), key=lambda campaign: campaign.pk)
    for campaign in campaigns:
        fitting = within_campaign(campaign, fitting, fences, now)
    fitting = within_account(mailbox.account, fitting, fences, now)
    raise_counters(mailbox, campaigns, fitting, now)
    return [*uncounted, *(one.id for one in fitting)]


def within_mailbox(
    mailbox: EmailAccount, claimed: list[Claimed], fences: dict[int, int], now: datetime
) -> list[Claimed]:
    zone = zone_of(mailbox)
    day = day_in(zone, now)
    room = caps.left(caps.scope_of(mailbox), day, caps.cap_on(mailbox, day))
    put_off(claimed[room:], fences, zone, day)
    return claimed[:room]


def campaigns_of(messages: Iterable[Claimed | Message]) -> dict[int, Campaign]:
    return Campaign.objects.in_bulk({one.campaign_id for one in messages if one.campaign_id})


def within_campaign(
    campaign: Campaign, claimed: list[Claimed], fences: dict[int, int], now: datetime
) -> list[Claimed]:
    own = [one for one in claimed if one.campaign_id == campaign.pk]
    if campaign.daily_limit is None or not own:
        return claimed
    zone = zone_named(campaign.time_zone)
    day = day_in(zone, now)
    over = own[caps.left(caps.scope_of(campaign), day, campaign.daily_limit) :]
    put_off(over, fences, zone, day)
    return without(claimed, over)


def within_account(
    account: Account, claimed: list[Claimed], fences: dict[int, int], now: datetime
) -> list[Claimed]:
    """Mails of campaigns, by the caps that the account has for all of them and for each domain."""
    most, most_of_domain = caps.of_account(account)
    own = [one for one in claimed if one.campaign_id]
    if (most is None and most_of_domain is None) or not own:
        return claimed
    zone = zone_named(account.time_zone)
    day, total = day_in(zone, now), caps.scope_of(account)
    used = caps.used_of_each([total], day)
    used |= caps.used_of_each(sorted({one.domain_scope(account) for one in own}), day)
    over = []
    for one in own:
        domain = one.domain_scope(account)
        if is_full(used[total], most) or is_full(used[domain], most_of_domain):
            over.append(one)
        else:
            used[total] += 1
            used[domain] += 1
    put_off(over, fences, zone, day)
    return without(claimed, over)


def is_full(used: int, cap: int | None) -> bool:
    return cap is not None and used >= cap


def without(claimed: list[Claimed], over: list[Claimed]) -> list[Claimed]:
    return [one for one in claimed if one not in over] if over else claimed


def raise_counters(
    mailbox: EmailAccount, campaigns: list[Campaign], claimed: list[Claimed], now: datetime
) -> None:
    """Count them, and note on which days: exactly these are lowered if a message returns."""
    day = day_in(zone_of(mailbox), now)
    count({caps.scope_of(mailbox): len(claimed)}, day, claimed, "mailbox_day")
    for campaign in campaigns:
        if campaign.daily_limit is not None:
            own = [one for one in claimed if one.campaign_id == campaign.pk]
            day = day_in(zone_named(campaign.time_zone), now)
            count({caps.scope_of(campaign): len(own)}, day, own, "campaign_day")
    account = mailbox.account
    if any(cap is not None for cap in caps.of_account(account)):
        own = [one for one in claimed if one.campaign_id]
        day = day_in(zone_named(account.time_zone), now)
        domains = Counter(one.domain_scope(account) for one in own)
        count({caps.scope_of(account): len(own), **dict(sorted(domains.items()))}, day, own, "account_day")


def count(numbers: dict[str, int], day: date, messages: list[Claimed], column: str) -> None:
    if messages:
        for scope, number in numbers.items():
            caps.use(scope, day, number)
        Message.objects.filter(pk__in=[one.id for one in messages]).update(**{column: day})


def day_in(zone: tzinfo, now: datetime) -> date:
    return now.astimezone(zone).date()


def put_off(over: list[Claimed], fences: dict[int, int], zone: tzinfo, day: date) -> None:
    """Queue for the first open moment of the next day; left as it was it would be claimed again at once."""
    if not over:
        return
    tomorrow = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    by_due: dict[datetime, dict[int, int]] = {}
    related = ("enrolment", "campaign", "mailbox__account", "linkedin_account__account")
    for message in Message.objects.filter(pk__in=[one.id for one in over]).select_related(*related):
        opens = schedule_for(message, message.campaign).next_open(tomorrow) if message.campaign else None
        by_due.setdefault(opens or tomorrow, {})[message.pk] = fences[message.pk]
    for due_at, mine in by_due.items():
        ledger.finish_all(
            Message, mine, state="queued", claim="", due_at=due_at, last_error="over the daily limit"
        )
