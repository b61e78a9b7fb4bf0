"""Rounds of planning for an account: move enrolments on, place the next minutes' steps, finish campaigns.

A round is a row of short transactions, each a step forward by itself: whoever else writes gets in between,
and a worker that dies leaves nothing half done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from outreach.claiming import LATE
from outreach.enrolments import locked, locked_ids, replan
from outreach.models import Campaign, EmailAccount, Enrolment, LinkedInAccount, Message
from outreach.moving_on import follow_up, pass_over, put_off_full_domains
from outreach.placing import place
from outreach.windows import schedule_of
from pipelime.accounts.models import Account
from pipelime.events.recording import record
from pipelime.scope import account_scope

Step = Callable[[dict[int, Campaign], datetime], int]

AT_ONCE = 2000  # rows given a new slot in one transaction
PARTS = ("account", "steps", "mailboxes__account", "linkedin_accounts__account")
LAST_CLOCK = ZoneInfo("Etc/GMT+12")  # where every day ends last
MOST_TURNS = 10  # then other accounts come first


def accounts_to_plan() -> list[int]:
    """Accounts with running campaigns, those planned longest ago first. Under every_account()."""
    rows = Campaign.objects.filter(
        status=Campaign.Status.STARTED, deleted_at=None, account__suspended_at=None
    )
    oldest_first = F("planned_at").asc(nulls_first=True)
    return list(dict.fromkeys(rows.order_by(oldest_first, "pk").values_list("account_id", flat=True)))


def plan_account(account_id: int, now: datetime) -> int:
    """One round for one account, unless another worker is at it. Returns how many were given a slot, or held
    because none can be had."""
    placed = 0
    with account_scope(account_id):
        for group in ROUND:
            for _ in range(MOST_TURNS):
                moved = {step: turn(account_id, step, now) for step in group}
                if None in moved.values():
                    return placed
                placed += moved.get(place) or 0
                if not any(moved.values()):
                    break
    return placed


def turn(account_id: int, step: Step, now: datetime) -> int | None:
    """One transaction of a round; None when another worker is at it. Campaigns stay as they are meanwhile."""
    with transaction.atomic():
        return step(running_campaigns(), now) if lock(account_id) else None


def lock(account_id: int) -> bool:
    """One planner an account. SQLite's IMMEDIATE transaction already lets nobody else write.

    NO KEY: every insert into the account holds a share of its key, and must neither wait nor be in the way.
    """
    rows = Account.objects.filter(pk=account_id, suspended_at=None)
    if connection.vendor == "postgresql":
        rows = rows.select_for_update(skip_locked=True, no_key=True)
    return rows.first() is not None


def running_campaigns() -> dict[int, Campaign]:
    rows = Campaign.objects.alive().filter(status=Campaign.Status.STARTED)
    return {campaign.pk: campaign for campaign in locked(rows).prefetch_related(*PARTS)}


def replan_missed(campaigns: dict[int, Campaign], now: datetime) -> int:
    """Messages nobody sent in time, or whose campaign has ended meanwhile, wait for a new slot."""
    ended = [pk for pk, campaign in campaigns.items() if has_ended(campaign, now)]
    queued = Message.objects.filter(state="queued")
    late = queued.filter(campaign__in=campaigns, due_at__lte=now - LATE)
    moved = some(late, "its slot was missed; planned anew")
    return moved + some(queued.filter(campaign__in=ended), "the campaign's last day is over")


def some(messages: QuerySet[Message], error: str) -> int:
    ids = list(messages.order_by("pk").values_list("pk", flat=True)[: AT_ONCE // 2])
    return replan(Message.objects.filter(pk__in=ids), error=error) if ids else 0


def has_ended(campaign: Campaign, now: datetime) -> bool:
    """For everybody: its last day may be over in its own zone, and not yet in a contact's or a sender's."""
    schedule = schedule_of(campaign)
    if campaign.ends_on and campaign.window_zone != Campaign.WindowZone.CAMPAIGN:
        schedule = schedule.shown_in(LAST_CLOCK)
    return schedule.next_open(now) is None


def forget_gone_senders(campaigns: dict[int, Campaign], now: datetime) -> int:
    """Whoever waits for a sender that was disconnected, or taken out of the campaign, may have another.

    A paused one is waited for: a contact should hear from one sender only.
    """
    boxes, profiles = every_id(EmailAccount), every_id(LinkedInAccount)
    return sum(
        forget(campaign, "mailbox", boxes - alive(campaign.mailboxes.all()))
        + forget(campaign, "linkedin_account", profiles - alive(campaign.linkedin_accounts.all()))
        for campaign in campaigns.values()
    )


def every_id(model: type[EmailAccount] | type[LinkedInAccount]) -> set[int]:
    return set(model.objects.values_list("pk", flat=True))


def alive(senders: Iterable[EmailAccount | LinkedInAccount]) -> set[int]:
    return {sender.pk for sender in senders if sender.deleted_at is None}


def forget(campaign: Campaign, field: str, gone: set[int]) -> int:
    if not gone:
        return 0
    waiting = Enrolment.objects.filter(campaign=campaign, state=Enrolment.State.WAITING)
    ids = locked_ids(waiting.filter(**{f"{field}__in": gone}))
    return Enrolment.objects.filter(pk__in=ids).update(**{field: None}) if ids else 0


def finish_done(campaigns: dict[int, Campaign], now: datetime) -> int:
    """A campaign is finished when nothing is on its way, and nobody waits who could be served.

    After its last day nobody can be; should that day be moved, those who wait go on.
    """
    Campaign.objects.filter(pk__in=campaigns).update(planned_at=now)
    ended = [pk for pk, campaign in campaigns.items() if has_ended(campaign, now)]
    waiting = Exists(Enrolment.objects.filter(campaign=OuterRef("pk"), state=Enrolment.State.WAITING))
    at_rest = resting(campaigns)
    for campaign in [*at_rest.filter(~waiting), *at_rest.filter(waiting, pk__in=ended)]:
        campaign.status, campaign.finished_at = Campaign.Status.FINISHED, now
        campaign.save(update_fields=["status", "finished_at", "updated_at"])
        record("campaign.finished", campaign, by=None)
    return 0


def resting(campaign_ids: Iterable[int]) -> QuerySet[Campaign]:
    """Campaigns that have contacts and no message on its way."""
    messages = Message.objects.filter(campaign=OuterRef("pk"))
    return Campaign.objects.filter(pk__in=list(campaign_ids)).filter(
        Exists(Enrolment.objects.filter(campaign=OuterRef("pk"))),
        ~Exists(messages.filter(state__in=Message.OPEN)),
        ~Exists(messages.filter(state__in=("sent", "skipped"), followed_up=False)),
    )


# The steps of a round, each until it has nothing left to do; those in one group by turns.
ROUND: tuple[tuple[Step, ...], ...] = (
    (follow_up,),
    (replan_missed,),
    (forget_gone_senders,),
    (pass_over,),
    (put_off_full_domains, place),
    (finish_done,),
)
