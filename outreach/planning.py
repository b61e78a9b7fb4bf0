"""Rounds of planning for an account: move enrolments on, place the next minutes' mails, finish campaigns.

A round is a row of short transactions, each a step forward by itself: whoever else writes gets in between,
and a worker that dies leaves nothing half done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from outreach.claiming import LATE
from outreach.enrolments import locked, locked_ids, replan
from outreach.models import Campaign, EmailAccount, Enrolment, Message
from outreach.placing import place
from outreach.windows import schedule_of, step_of, zone_named
from pipelime.accounts.models import Account
from pipelime.doorbell import ring_now
from pipelime.events.recording import record
from pipelime.scope import account_scope

Step = Callable[[dict[int, Campaign], datetime], int]

AT_ONCE = 2000  # rows moved in one transaction
MOST_TURNS = 10  # then other accounts come first


def accounts_to_plan() -> list[int]:
    """Accounts with running campaigns, those planned longest ago first. Under every_account()."""
    rows = Campaign.objects.filter(
        status=Campaign.Status.STARTED, deleted_at=None, account__suspended_at=None
    )
    oldest_first = F("planned_at").asc(nulls_first=True)
    return list(dict.fromkeys(rows.order_by(oldest_first, "pk").values_list("account_id", flat=True)))


def plan_account(account_id: int, now: datetime) -> int:
    """One round for one account, unless another worker is at it. Returns how many messages were queued."""
    queued = 0
    with account_scope(account_id):
        for step in (follow_up, replan_missed, forget_gone_senders, place, finish_done):
            for _ in range(MOST_TURNS):
                moved = turn(account_id, step, now)
                if moved is None:
                    return queued
                queued += moved if step is place else 0
                if not moved:
                    break
    if queued:
        ring_now("outreach.tasks.send_due")
    return queued


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
    return {
        campaign.pk: campaign for campaign in locked(rows).prefetch_related("steps", "mailboxes__account")
    }


def follow_up(campaigns: dict[int, Campaign], now: datetime) -> int:
    """Enrolments whose message was sent wait for their next step, or are done."""
    sent = list(
        Message.objects.filter(state="sent", followed_up=False)
        .order_by("pk")
        .values_list("pk", "enrolment_id", "campaign_id", "step_number", "due_at")[:AT_ONCE]
    )
    if sent:
        advance(sent, campaigns)
        Message.objects.filter(pk__in=[row[0] for row in sent]).update(followed_up=True)
    return len(sent)


def advance(sent: list[tuple], campaigns: dict[int, Campaign]) -> None:
    others = {row[2] for row in sent} - set(campaigns) - {None}
    known = campaigns | Campaign.objects.filter(pk__in=others).prefetch_related("steps").in_bulk()
    rows = Enrolment.objects.filter(pk__in=[row[1] for row in sent], state=Enrolment.State.IN_FLIGHT)
    places = dict(Enrolment.objects.filter(pk__in=locked_ids(rows)).values_list("pk", "step_number"))
    moved: dict[tuple, list[int]] = {}
    for _, enrolment_id, campaign_id, step_number, due_at in sent:
        if places.get(enrolment_id) == step_number:
            moved.setdefault((campaign_id, step_number, due_at), []).append(enrolment_id)
    # Many enrolments share a slot, and so their next due time: one update serves them all.
    for (campaign_id, step_number, due_at), ids in moved.items():
        Enrolment.objects.filter(pk__in=ids).update(
            **next_place(known[campaign_id], step_number, due_at), updated_at=timezone.now()
        )


def next_place(campaign: Campaign, step_number: int, sent_for: datetime) -> dict[str, Any]:
    """Where a contact stands after a step. The gap counts from its slot, or from when it was put off to."""
    following = [step for step in campaign.steps.all() if step.number > step_number]
    if not following:
        return {"state": Enrolment.State.FINISHED}
    step = min(following, key=lambda step: step.number)
    due_at = step_of(step).delay.after(sent_for, zone_named(campaign.time_zone))
    return {"state": Enrolment.State.WAITING, "step_number": step.number, "due_at": due_at}


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
    return schedule_of(campaign).next_open(now) is None


def forget_gone_senders(campaigns: dict[int, Campaign], now: datetime) -> int:
    """Whoever waits for a mailbox that was disconnected, or taken out of the campaign, may have another.

    A paused one is waited for: a contact should hear from one sender only.
    """
    every, freed = set(EmailAccount.objects.values_list("pk", flat=True)), 0
    for campaign in campaigns.values():
        own = {mailbox.pk for mailbox in campaign.mailboxes.all() if mailbox.deleted_at is None}
        if gone := every - own:
            waiting = Enrolment.objects.filter(campaign=campaign, state=Enrolment.State.WAITING)
            ids = locked_ids(waiting.filter(mailbox__in=gone))
            freed += Enrolment.objects.filter(pk__in=ids).update(mailbox=None) if ids else 0
    return freed


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
        ~Exists(messages.filter(state="sent", followed_up=False)),
    )
