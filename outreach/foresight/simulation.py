"""A campaign on a virtual clock: the engine's plan, day by day, with answers and bounces drawn by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from heapq import heappop, heappush
from operator import attrgetter
from random import Random

from outreach import scheduling
from outreach.foresight.places import begun
from outreach.foresight.plans import planned_together, state_ahead
from outreach.foresight.spending import Done, spent
from outreach.models import Campaign, SequenceStep
from outreach.scheduling import Passed, Slot, Via
from outreach.windows import zone_named

SLOWEST_ANSWER = timedelta(days=3)
ABSENCE = timedelta(days=7)
Channel = SequenceStep.Channel
FACTS = {"replied": SequenceStep.Condition.REPLIED.value, "accepted": SequenceStep.Condition.CONNECTED.value}


@dataclass(frozen=True)
class Rates:
    """Shares of 1: mails that bounce or meet an absence, messages that are answered, invitations accepted.

    `task_hours` is what a person takes for a step, on average.
    """

    bounce: float = 0.02
    reply: float = 0.05
    absence: float = 0.03
    acceptance: float = 0.3
    task_hours: float = 24.0


@dataclass
class Simulation:
    """`days` counts what happened on each local day: mails, linkedin, by_hand, replied, bounced, absent,
    accepted, through. `ends_on` is the day on which the last contact is done; None if it lies beyond."""

    contacts: int
    days: dict[date, Counter[str]]
    left: int
    ends_on: date | None


def simulate(
    campaign: Campaign, *, now: datetime, until: datetime, seed: int, rates: Rates | None = None
) -> Simulation:
    """The same rows, moment and seed give the same figures."""
    world = World(campaign, now, Random(seed), rates or Rates())  # noqa: S311  chance, no secret
    for begin, end in days_between(now, until, world.zone):
        world.live(begin, end)
    return world.outcome()


def days_between(now: datetime, until: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    while now < until:
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        end = min(datetime.combine(tomorrow, time(), zone).astimezone(UTC), until)
        yield now, end
        now = end


class World:
    """All that share the campaign's senders; figures are of the campaign alone."""

    def __init__(self, campaign: Campaign, now: datetime, chance: Random, rates: Rates) -> None:
        self.id, self.zone = campaign.pk, zone_named(campaign.time_zone)
        self.chance, self.rates = chance, rates
        self.rows = planned_together(campaign)
        self.state = state_ahead(self.rows, begun(self.rows), now)
        self.campaigns = {one.id: one for one in self.state.campaigns}
        self.senders = {(one.via, one.id): one for one in self.state.senders}
        self.channels = {(one.campaign_id, one.number): one.channel for one in steps_of(self.rows)}
        self.automatic = {
            one.pk for row in self.rows.values() for one in row.linkedin_accounts.all() if one.provider
        }
        self.waiting = {one.enrolment_id: one for one in self.state.waiting}
        self.contacts = self.left()
        self.answers: list[
            tuple[datetime, int, int, str]
        ] = []  # a heap: when, of whom, in which campaign, what
        self.has_replied: set[int] = set()
        self.days: dict[date, Counter[str]] = {}

    def left(self) -> int:
        return sum(one.campaign_id == self.id for one in self.waiting.values())

    def live(self, begin: datetime, end: datetime) -> None:
        """Some hours. Whoever answers in them gets nothing more, and leaves their places unused."""
        due = [one for one in self.waiting.values() if one.due < end]
        plan = scheduling.plan(replace(self.state, waiting=due), begin, end)
        done = []
        for event in sorted([*plan.passed, *plan.slots], key=attrgetter("at")):
            self.hear(event.at)
            waiting = self.waiting.get(event.enrolment_id)
            if waiting is None:
                continue
            if isinstance(event, Slot):
                done.append(Done(event, waiting.campaign_id, waiting.domain))
                self.do(event, waiting.campaign_id)
            else:
                self.go_on(event, event.at)
        for enrolment_id, due_at in plan.put_off():
            if waiting := self.waiting.get(enrolment_id):
                self.waiting[enrolment_id] = waiting._replace(due=max(waiting.due, due_at))
        self.state = spent(self.state, done)
        self.hear(end)

    def do(self, slot: Slot, campaign_id: int) -> None:
        """A step is done, and chance says what comes of it."""
        channel = self.channels[campaign_id, slot.step_number]
        if channel == Channel.EMAIL:
            self.mail(slot, campaign_id)
            return
        is_by_hand = slot.via is Via.HAND or slot.sender_id not in self.automatic
        at = slot.at + (
            self.within(2 * timedelta(hours=self.rates.task_hours)) if is_by_hand else timedelta(0)
        )
        self.count(campaign_id, "by_hand" if is_by_hand else "linkedin", at)
        if channel == Channel.LINKEDIN_INVITATION:
            self.perhaps(self.rates.acceptance, slot, campaign_id, "accepted", at)
        elif channel == Channel.LINKEDIN_MESSAGE:
            self.perhaps(self.rates.reply, slot, campaign_id, "replied", at)
        self.go_on(slot, at)

    def mail(self, slot: Slot, campaign_id: int) -> None:
        self.count(campaign_id, "mails", slot.at)
        if self.chance.random() < self.rates.bounce:
            self.count(campaign_id, "bounced", slot.at)
            del self.waiting[slot.enrolment_id]
            return
        self.perhaps(self.rates.reply, slot, campaign_id, "replied", slot.at)
        is_away = self.chance.random() < self.rates.absence
        self.go_on(slot, slot.at)
        if is_away:
            self.count(campaign_id, "absent", slot.at)
            if waiting := self.waiting.get(slot.enrolment_id):
                self.waiting[slot.enrolment_id] = waiting._replace(due=max(waiting.due, slot.at + ABSENCE))

    def go_on(self, event: Slot | Passed, at: datetime) -> None:
        """To the next step, or out of the campaign."""
        waiting = self.waiting.pop(event.enrolment_id)._replace(step_number=event.step_number)
        sender = self.senders.get((event.via, event.sender_id)) if isinstance(event, Slot) else None
        if following := self.campaigns[waiting.campaign_id].following(waiting, at, sender):
            self.waiting[event.enrolment_id] = following
        else:
            self.count(waiting.campaign_id, "through", at)

    def perhaps(self, rate: float, slot: Slot, campaign_id: int, what: str, at: datetime) -> None:
        if self.chance.random() < rate:
            heappush(self.answers, (at + self.within(SLOWEST_ANSWER), slot.enrolment_id, campaign_id, what))

    def within(self, longest: timedelta) -> timedelta:
        return timedelta(seconds=int(self.chance.random() * longest.total_seconds()))

    def hear(self, until: datetime) -> None:
        """Answers that have come by then. Somebody replies once."""
        while self.answers and self.answers[0][0] <= until:
            at, enrolment_id, campaign_id, what = heappop(self.answers)
            if what == "replied":
                if enrolment_id in self.has_replied:
                    continue
                self.has_replied.add(enrolment_id)
            self.count(campaign_id, what, at)
            if waiting := self.waiting.get(enrolment_id):
                self.waiting[enrolment_id] = waiting._replace(facts=waiting.facts | {FACTS[what]})
                if what == "replied" and self.rows[campaign_id].stop_on_reply:
                    del self.waiting[enrolment_id]

    def count(self, campaign_id: int, what: str, at: datetime) -> None:
        if campaign_id == self.id:
            self.days.setdefault(at.astimezone(self.zone).date(), Counter())[what] += 1

    def outcome(self) -> Simulation:
        left = self.left()
        return Simulation(
            self.contacts,
            dict(sorted(self.days.items())),
            left,
            max(self.days, default=None) if not left else None,
        )


def steps_of(rows: dict[int, Campaign]) -> Iterator[SequenceStep]:
    for row in rows.values():
        yield from row.steps.all()
