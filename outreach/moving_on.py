"""Moving enrolments on: past a step that was done, or is not meant for them, or has to wait for tomorrow."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from outreach import caps
from outreach.demand import FACTS, meant_by
from outreach.enrolments import finished, locked_ids
from outreach.models import Campaign, Enrolment, Message, SequenceStep
from outreach.scheduling import Via
from outreach.supply import account_value
from outreach.windows import Clocks, due_after, step_of
from pipelime.accounts.models import Account

AT_ONCE = 2000  # rows moved in one transaction

PLACE = (
    "step_number", "time_zone", "campaign__account__time_zone",
    "mailbox_id", "mailbox__time_zone", "linkedin_account_id", "linkedin_account__time_zone",
)  # fmt: skip


class Done(NamedTuple):
    """A step that is over for an enrolment, and the moment from which the next one's delay counts."""

    enrolment_id: int
    campaign_id: int
    step_number: int
    at: datetime


def follow_up(campaigns: dict[int, Campaign], now: datetime) -> int:
    """Enrolments whose step was done, or skipped by a person, wait for their next one, or are through."""
    done = [
        row
        for state in ("sent", "skipped")
        for row in Message.objects.filter(state=state, followed_up=False)
        .order_by("pk")
        .values_list("pk", "enrolment_id", "campaign_id", "step_number", "due_at")[:AT_ONCE]
    ]
    if done:
        in_flight = Enrolment.objects.filter(state=Enrolment.State.IN_FLIGHT)
        move_on([Done(*row[1:]) for row in done if row[1]], campaigns, in_flight)
        Message.objects.filter(pk__in=[row[0] for row in done]).update(followed_up=True)
    return len(done)


def pass_over(campaigns: dict[int, Campaign], now: datetime) -> int:
    """Steps that have fallen due for somebody whom they are not meant for are left out."""
    return sum(
        pass_step(campaign, step, now)
        for campaign in campaigns.values()
        for step in campaign.steps.all()
        if step.condition
    )


def pass_step(campaign: Campaign, step: SequenceStep, now: datetime) -> int:
    unmet = Enrolment.objects.filter(
        campaign=campaign,
        state=Enrolment.State.WAITING,
        step_number=step.number,
        due_at__lte=now,
        **{f"{FACTS[step.condition]}__isnull": True},
    )
    rows = unmet.order_by("due_at", "pk").values_list("pk", "campaign_id", "step_number", "due_at")
    passed = [Done(*row) for row in rows[:AT_ONCE]]
    if passed:
        move_on(passed, {campaign.pk: campaign}, unmet)
    return len(passed)


def move_on(done: list[Done], campaigns: Mapping[int, Campaign], still: QuerySet[Enrolment]) -> None:
    """`still` says for which of the enrolments that is still so, once they are locked."""
    missing = {one.campaign_id for one in done} - set(campaigns)
    known = {**campaigns, **Campaign.objects.filter(pk__in=missing).prefetch_related("steps").in_bulk()}
    ids = locked_ids(still.filter(pk__in=[one.enrolment_id for one in done]))
    places = {row[0]: row[1:] for row in Enrolment.objects.filter(pk__in=ids).values_list("pk", *PLACE)}
    moved: dict[tuple[int, int, datetime, tzinfo], list[int]] = {}
    for one in done:
        number, *names = places.get(one.enrolment_id, (None,))
        if number == one.step_number:
            clock = clock_of(known[one.campaign_id], number, names)
            moved.setdefault((one.campaign_id, one.step_number, one.at, clock), []).append(one.enrolment_id)
    # Many enrolments share a slot, and so their next due time: one update serves them all.
    for (campaign_id, number, at, clock), some in moved.items():
        place = next_place(known[campaign_id], number, at, clock)
        if place["state"] == Enrolment.State.FINISHED:
            finished(some)
            continue
        here = Enrolment.objects.filter(pk__in=some)
        here.update(**place, updated_at=timezone.now())
        here.filter(parked_until__gt=place["due_at"]).update(due_at=F("parked_until"))  # out of office


def by_clock(campaign: Campaign, places: QuerySet[Enrolment]) -> dict[tzinfo, list[int]]:
    """The ids of some of a campaign's enrolments, by the clock on which each was served last."""
    found: dict[tzinfo, list[int]] = {}
    for pk, number, *names in places.order_by("pk").values_list("pk", *PLACE):
        found.setdefault(clock_of(campaign, number, names), []).append(pk)
    return found


def clock_of(campaign: Campaign, number: int, names: Sequence[Any]) -> tzinfo:
    """On which clock the contact was served; senders without a zone have the account's."""
    contact, own, mailbox, mailbox_zone, profile, profile_zone = names
    step = next((step for step in campaign.steps.all() if step.number == number), None)
    clocks = Clocks(
        contact, (mailbox_zone or own) if mailbox else "", (profile_zone or own) if profile else ""
    )
    return clocks.of(campaign, step.channel if step else SequenceStep.Channel.EMAIL)


def next_place(campaign: Campaign, step_number: int, at: datetime, clock: tzinfo) -> dict[str, Any]:
    """Where a contact stands after a step that was done, or passed over, at this moment."""
    following = [step for step in campaign.steps.all() if step.number > step_number]
    if not following:
        return {"state": Enrolment.State.FINISHED}
    step = min(following, key=lambda step: step.number)
    due_at = due_after(campaign, step, at, clock)
    return {"state": Enrolment.State.WAITING, "step_number": step.number, "due_at": due_at}


def put_off_full_domains(campaigns: dict[int, Campaign], now: datetime) -> int:
    """Whoever is due today in a domain that gets no more mail today is due when the next day begins.

    Left as they were they would be looked at in every round, before those who can be served.
    """
    accounts = {campaign.account_id: campaign.account for campaign in campaigns.values()}
    return sum(put_off(account, campaigns, now) for account in accounts.values())


def put_off(account: Account, campaigns: Mapping[int, Campaign], now: datetime) -> int:
    if caps.of_account(account)[1] is None:
        return 0
    value = account_value(account, now)
    today = now.astimezone(value.zone).date()
    full = {name for name, used in value.used_by_domain.items() if used[today] >= (value.domain_cap or 0)}
    if not full:
        return 0
    tomorrow = datetime.combine(today + timedelta(days=1), time(), value.zone).astimezone(UTC)
    late = list(itertools.islice(in_domains(full, due_mails(campaigns, tomorrow)), AT_ONCE))
    ids = locked_ids(Enrolment.objects.filter(pk__in=late, state=Enrolment.State.WAITING))
    return Enrolment.objects.filter(pk__in=ids).update(due_at=tomorrow, updated_at=timezone.now())


def due_mails(campaigns: Mapping[int, Campaign], before: datetime) -> QuerySet[Enrolment]:
    mails = Q()
    for campaign in campaigns.values():
        steps = map(step_of, campaign.steps.all())
        mails |= Q(campaign=campaign) & meant_by(step for step in steps if step.via is Via.MAIL)
    return Enrolment.objects.filter(mails, state=Enrolment.State.WAITING, due_at__lt=before)


def in_domains(names: set[str], rows: QuerySet[Enrolment]) -> Iterator[int]:
    # Read to the end: on SQLite nothing is written beside a read that is still open.
    for pk, address in list(rows.order_by().values_list("pk", "address")):
        if caps.domain_of(address) in names:
            yield pk
