"""Who waits for a step, as the values that planning reads; and of all of them those who may be next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import product

from django.db.models import Q, QuerySet

from outreach import caps, scheduling
from outreach.models import Enrolment
from outreach.scheduling import Via, Waiting
from outreach.windows import known_zone

AT_ONCE = 2000  # enrolments placed in one transaction: a fraction of a second of SQLite's only writer
UNLIMITED = 1 << 40

FACTS = {"replied": "replied_at", "connected": "connected_at", "clicked": "clicked_at"}
COLUMNS = (
    "pk", "campaign_id", "step_number", "due_at", "mailbox_id", "linkedin_account_id", "time_zone",
    "address", *FACTS.values(),
)  # fmt: skip
FULFILLED = {
    known: frozenset(name for name, is_known in zip(FACTS, known, strict=True) if is_known)
    for known in product((False, True), repeat=len(FACTS))
}


def as_waiting(rows: QuerySet[Enrolment], *, with_domains: bool) -> Iterator[Waiting]:
    for pk, campaign, step, due_at, mailbox, linkedin, zone, address, *facts in rows.values_list(*COLUMNS):
        domain = caps.domain_of(address) if with_domains and address else ""
        known = FULFILLED[tuple(fact is not None for fact in facts)]
        who = known_zone(zone), domain, known, bool(address)
        yield Waiting(pk, campaign, step, due_at, mailbox, linkedin, *who)


def meant_by(steps: Iterable[scheduling.Step]) -> Q:
    """Who waits for one of these steps, without those whom it is not meant for."""
    conditions = {step.number: step.condition for step in steps}
    rows = Q(step_number__in=[number for number, condition in conditions.items() if not condition])
    for number, condition in conditions.items():
        if condition:
            rows |= Q(step_number=number, **{f"{FACTS[condition]}__isnull": False})
    return rows


def next_waiting(state: scheduling.State, now: datetime, until: datetime) -> list[Waiting]:
    """Whoever the plan would serve first, and only those for whom there is room.

    Everything that waits may be far more: a campaign outside its windows, or the contacts of a mailbox
    that has used its day, must not crowd out those who can go.
    """
    rooms = {(one.via, one.id): room_of(one, now, until) for one in state.senders}
    found = []
    for campaign in state.campaigns:
        lines = Lines(state, campaign, rooms, (now, until))
        if lines.opens < until:
            found += [(max(one.due, lines.opens), lines.priority(one), one) for one in lines.first()]
    found.sort(key=lambda each: (each[0], each[1], each[2].due, each[2].enrolment_id))
    return [one for *_, one in found[:AT_ONCE]]


def room_of(sender: scheduling.Sender, now: datetime, until: datetime) -> int:
    """How many more the sender may do between now and then, by its cap and by its gaps."""
    days = {now.astimezone(sender.zone).date(), until.astimezone(sender.zone).date()}
    caps_of_days = {day: sender.cap_on(day.toordinal()) for day in days}
    by_cap = sum(
        UNLIMITED if cap is None else max(0, cap - sender.used.get(day, 0))
        for day, cap in caps_of_days.items()
    )
    begins = max(now, sender.free_at or now)
    if begins >= until or not sender.gap_seconds:
        return by_cap if begins < until else 0
    return min(by_cap, -(-(until - begins) // timedelta(seconds=sender.gap_seconds)))


def room(zone: tzinfo, cap: int | None, used: Mapping[date, int], now: datetime, until: datetime) -> int:
    """How many more may go between now and then, over all the local days that these minutes touch."""
    if cap is None:
        return UNLIMITED
    days = {now.astimezone(zone).date(), until.astimezone(zone).date()}
    return sum(max(0, cap - used.get(day, 0)) for day in days)


@dataclass(frozen=True, slots=True)
class Line:
    """Some of those who wait in a campaign. `rooms` are of its senders, each with who waits for it alone."""

    rows: Q
    limit: int
    field: str = ""
    rooms: Mapping[int, int] | None = None


class Lines:
    """Of one campaign, those who wait for a slot before `until`, each line by due moment and id."""

    def __init__(
        self,
        state: scheduling.State,
        campaign: scheduling.Campaign,
        rooms: Mapping[tuple[Via, int], int],
        span: tuple[datetime, datetime],
    ) -> None:
        self.campaign, (self.now, self.until) = campaign, span
        self.with_domains = state.account.domain_cap is not None
        self.account = state.account
        self.zones = {(one.via, one.id): one.zone for one in state.senders}
        self.clocks = self.open_clocks()
        senders = {Via.MAIL: campaign.mailbox_ids, Via.LINKEDIN: campaign.linkedin_ids}
        self.rooms = {
            via: {pk: rooms[via, pk] for pk in ids if rooms[via, pk] and self.is_open_for(via, pk)}
            for via, ids in senders.items()
        }
        self.opens = min(self.opens_in(clock) for clock in self.all_clocks())

    def priority(self, one: Waiting) -> bool:
        return (one.step_number == self.campaign.steps[0].number) is not self.campaign.new_first

    def first(self) -> Iterator[Waiting]:
        for line in self.lines():
            if line.limit:
                yield from self.read(line)

    def lines(self) -> Iterator[Line]:
        """Follow-ups by mail, first mails with a sender already, and without; LinkedIn; by hand."""
        first, *later = [step.number for step in self.campaign.steps]
        mails, linkedin, hand = (self.numbers(via) for via in (Via.MAIL, Via.LINKEDIN, Via.HAND))
        boxes, accounts = self.rooms[Via.MAIL], self.rooms[Via.LINKEDIN]
        limit = min(AT_ONCE, self.most_mails(), sum(boxes.values()))
        if limit and self.with_domains:
            limit = AT_ONCE  # many of them may be of one domain
        if follow_ups := mails.intersection(later):
            rows = self.meant(follow_ups) & (Q(mailbox=None) | Q(mailbox__in=boxes))
            yield Line(rows, limit, "mailbox", boxes)
        if first in mails:
            rows = self.meant({first})
            yield Line(rows & Q(mailbox__in=boxes), limit, "mailbox", boxes)
            yield Line(rows & Q(mailbox=None), limit)
        if linkedin:
            rows = self.meant(linkedin) & (Q(linkedin_account=None) | Q(linkedin_account__in=accounts))
            yield Line(rows, min(AT_ONCE, sum(accounts.values())), "linkedin_account", accounts)
        if hand:
            yield Line(self.meant(hand), AT_ONCE)

    def most_mails(self) -> int:
        """What the caps of the campaign and of the account leave."""
        campaign, account = self.campaign, self.account
        own = room(campaign.schedule.zone, campaign.daily_cap, campaign.used, self.now, self.until)
        return min(own, room(account.zone, account.daily_cap, account.used, self.now, self.until))

    def numbers(self, via: Via) -> set[int]:
        return {step.number for step in self.campaign.steps if step.via is via}

    def meant(self, numbers: Collection[int]) -> Q:
        return meant_by(step for step in self.campaign.steps if step.number in numbers)

    def read(self, line: Line) -> list[Waiting]:
        """A line that is longer than what is taken of it is read sender by sender and clock by clock."""
        waiting = Enrolment.objects.filter(
            line.rows, campaign=self.campaign.id, state=Enrolment.State.WAITING, due_at__lt=self.until
        ).order_by("due_at", "pk")
        if self.clocks is not None:
            waiting = waiting.filter(time_zone__in=self.clocks)
        found = self.some(waiting, line.limit)
        if len(found) < line.limit:
            return found
        parts = [(waiting, line.limit)]
        if line.field:
            senders = [(None, line.limit), *(line.rooms or {}).items()]
            parts = [(waiting.filter(**{line.field: pk}), most) for pk, most in senders]
        if self.clocks is not None:
            parts = [(rows.filter(time_zone=name), most) for rows, most in parts for name in self.clocks]
        if len(parts) == 1:
            return found
        return [one for rows, most in parts for one in self.some(rows, min(most, line.limit))]

    def some(self, rows: QuerySet[Enrolment], limit: int) -> list[Waiting]:
        return list(as_waiting(rows[:limit], with_domains=self.with_domains))

    def open_clocks(self) -> list[str] | None:
        """The names of the contacts' zones in which windows open by then; None where they do not matter."""
        if self.campaign.window_zone != "contact":
            return None
        waiting = Enrolment.objects.filter(
            campaign=self.campaign.id, state=Enrolment.State.WAITING, due_at__lt=self.until
        )
        names = waiting.order_by().values_list("time_zone", flat=True).distinct()
        return [name for name in names if self.opens_in(self.zone_called(name)) < self.until]

    def all_clocks(self) -> Iterator[tzinfo]:
        yield self.campaign.schedule.zone
        if self.clocks is not None:
            yield from (self.zone_called(name) for name in self.clocks)
        if self.campaign.window_zone == "mailbox":
            yield from (self.zones[via, pk] for via, rooms in self.rooms.items() for pk in rooms)

    def zone_called(self, name: str) -> tzinfo:
        return known_zone(name) or self.campaign.schedule.zone

    def is_open_for(self, via: Via, pk: int) -> bool:
        by_sender = self.campaign.window_zone == "mailbox"
        return not by_sender or self.opens_in(self.zones[via, pk]) < self.until

    def opens_in(self, zone: tzinfo) -> datetime:
        return self.campaign.schedule.shown_in(zone).next_open(self.now) or self.until
