"""What campaigns may send, and from where, as values for planning: caps, and what is used of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from outreach import caps, scheduling
from outreach.models import Campaign, EmailAccount, LinkedInAccount, Message
from outreach.windows import schedule_of, step_of, zone_named, zone_of
from pipelime.accounts.models import Account

Moments = list[tuple[datetime, int]]  # a moment, and how many are planned for it


def mailboxes_of(campaign: Campaign) -> list[EmailAccount]:
    """Those that it may send from now."""
    return [one for one in campaign.mailboxes.all() if one.paused_at is None and one.deleted_at is None]


def linkedin_accounts_of(campaign: Campaign) -> list[LinkedInAccount]:
    """Those that steps may be planned for now, whether a provider does them or a person."""
    return [
        one for one in campaign.linkedin_accounts.all() if one.paused_at is None and one.deleted_at is None
    ]


def campaign_values(campaigns: Iterable[Campaign], now: datetime) -> list[scheduling.Campaign]:
    campaigns = [campaign for campaign in campaigns if campaign.steps.all()]
    used = caps.used_by_day([caps.scope_of(campaign) for campaign in campaigns], since(now))
    queued = planned_moments("campaign_id", campaigns, mails())
    return [
        scheduling.Campaign(
            id=campaign.pk,
            seed=bytes.fromhex(campaign.seed),
            schedule=schedule_of(campaign),
            steps=[step_of(step) for step in campaign.steps.all()],
            mailbox_ids=[mailbox.pk for mailbox in mailboxes_of(campaign)],
            linkedin_ids=[account.pk for account in linkedin_accounts_of(campaign)],
            daily_cap=campaign.daily_limit,
            used=by_day(
                used[caps.scope_of(campaign)], queued.get(campaign.pk, []), zone_named(campaign.time_zone)
            ),
            new_first=campaign.priority == Campaign.Priority.NEW_CONTACTS,
            window_zone=campaign.window_zone,
        )
        for campaign in campaigns
    ]


def mailbox_values(mailboxes: Sequence[EmailAccount], now: datetime) -> list[scheduling.Sender]:
    used = caps.used_by_day([caps.scope_of(mailbox) for mailbox in mailboxes], since(now))
    queued = planned_moments("mailbox_id", mailboxes, mails())
    free_at = ends_of_gaps([mailbox for mailbox in mailboxes if has_gap(mailbox)])
    return [
        scheduling.Sender(
            id=mailbox.pk,
            via=scheduling.Via.MAIL,
            zone=zone_of(mailbox),
            daily_cap=mailbox.daily_limit,
            used=by_day(used[caps.scope_of(mailbox)], queued.get(mailbox.pk, []), zone_of(mailbox)),
            gap_seconds=mailbox.gap_seconds,
            jitter_seconds=mailbox.gap_jitter_seconds,
            free_at=free_at.get(mailbox.pk),
            ramp=caps.ramp_of(mailbox),
        )
        for mailbox in mailboxes
    ]


def linkedin_values(accounts: Sequence[LinkedInAccount], now: datetime) -> list[scheduling.Sender]:
    """What is done is counted. What a person has not come to yet takes its room from every day it waits."""
    used = caps.used_by_day([caps.scope_of(account) for account in accounts], since(now))
    planned = Message.objects.filter(Q(state="queued") | Q(state="todo", due_at__gt=now))
    ahead = planned_moments("linkedin_account_id", accounts, planned)
    overdue = planned_moments(
        "linkedin_account_id", accounts, Message.objects.filter(state="todo", due_at__lte=now)
    )
    found = []
    for account in accounts:
        zone, late = zone_of(account), sum(count for _, count in overdue.get(account.pk, []))
        days = [(now, late), (now + timedelta(days=1), late)] if late else []
        taken = by_day(used[caps.scope_of(account)], [*ahead.get(account.pk, []), *days], zone)
        found.append(scheduling.Sender(account.pk, scheduling.Via.LINKEDIN, zone, account.daily_limit, taken))
    return found


def account_value(account: Account, now: datetime) -> scheduling.Account:
    most, most_of_domain = caps.of_account(account)
    if most is None and most_of_domain is None:
        return scheduling.Account()
    zone, scope = zone_named(account.time_zone), caps.scope_of(account)
    in_campaigns = mails().filter(account=account, campaign__isnull=False)
    queued = list(in_campaigns.values_list("to_address", "due_at"))
    used = caps.used_by_day([scope], since(now))[scope]
    by_domain = caps.used_by_domain(account.pk, since(now)) if most_of_domain else {}
    for address, due_at in queued if most_of_domain else ():
        by_domain.setdefault(caps.domain_of(address), Counter())[due_at.astimezone(zone).date()] += 1
    return scheduling.Account(
        zone, most, by_day(used, [(due_at, 1) for _, due_at in queued], zone), most_of_domain, by_domain
    )


def mails() -> QuerySet[Message]:
    """What is planned but not yet claimed, and so not yet in the counters."""
    return Message.objects.filter(state="queued", channel=Message.Channel.EMAIL).exclude(caps.UNCOUNTED)


def planned_moments(
    owner: str, owners: Sequence[Campaign | EmailAccount | LinkedInAccount], messages: QuerySet[Message]
) -> dict[int, Moments]:
    found: dict[int, Moments] = {}
    rows = messages.filter(**{f"{owner}__in": [one.pk for one in owners]}).values_list(owner, "due_at")
    for pk, due_at, count in rows.annotate(Count("pk")).order_by():
        found.setdefault(pk, []).append((due_at, count))
    return found


def by_day(used: Mapping[date, int], moments: Iterable[tuple[datetime, int]], zone: tzinfo) -> Counter[date]:
    total = Counter(used)
    for moment, count in moments:
        total[moment.astimezone(zone).date()] += count
    return total


def since(now: datetime) -> date:
    """Yesterday: somewhere it is still today."""
    return (now - timedelta(days=1)).date()


def has_gap(mailbox: EmailAccount) -> bool:
    return mailbox.gap_seconds > 0 or mailbox.gap_jitter_seconds > 0


def ends_of_gaps(mailboxes: Sequence[EmailAccount]) -> dict[int, datetime]:
    """When the pause after the last slot of each mailbox is over: planned, sent, or given up since."""
    if not mailboxes:
        return {}
    slots = Message.objects.filter(mailbox=OuterRef("pk"), campaign__isnull=False).exclude(state="cancelled")
    last = Subquery(slots.order_by("-slot_at", "-pk").values("pk")[:1])
    boxes = EmailAccount.objects.filter(pk__in=[mailbox.pk for mailbox in mailboxes])
    ids = boxes.annotate(last=last).values_list("last", flat=True)
    rows = Message.objects.filter(pk__in=[pk for pk in ids if pk]).values_list(
        "mailbox_id", "slot_at", "campaign__seed", "enrolment_id", "step_number"
    )
    by_id = {mailbox.pk: mailbox for mailbox in mailboxes}
    return {
        pk: slot_at + pause(by_id[pk], seed, enrolment_id or 0, number)
        for pk, slot_at, seed, enrolment_id, number in rows
    }


def pause(mailbox: EmailAccount, seed: str, enrolment_id: int, step_number: int) -> timedelta:
    gap, jitter = mailbox.gap_seconds, mailbox.gap_jitter_seconds
    return timedelta(
        seconds=scheduling.pause_after(gap, jitter, bytes.fromhex(seed), enrolment_id, step_number)
    )
