"""A campaign as a plan moves forward: its senders, its windows on each clock, its mails of the day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC

from outreach.scheduling.capacity import Allowance, Outlet
from outreach.scheduling.days import LocalDays, local_days
from outreach.scheduling.gates import Gate
from outreach.scheduling.sequence import Step, Via
from outreach.scheduling.state import Campaign, Sender, Waiting

OUTLETS = Mapping[tuple[Via, int], Outlet]
NOBODY = Sender(0, Via.HAND, UTC)  # does what needs no sender, at any time


class Person:
    """Somebody who waits, with the senders that have begun; whoever wrote first goes on writing."""

    __slots__ = ("days", "domain", "facts", "has_address", "linkedin", "mailbox")

    def __init__(self, waiting: Waiting) -> None:
        self.mailbox = waiting.mailbox_id
        self.linkedin = waiting.linkedin_id
        self.days = None if waiting.zone is None else local_days(waiting.zone)
        self.domain = waiting.domain
        self.facts = waiting.facts
        self.has_address = waiting.has_address

    def is_meant_by(self, step: Step) -> bool:
        return not step.condition or step.condition in self.facts

    def sender_for(self, via: Via) -> int | None:
        if via is Via.MAIL:
            return self.mailbox
        return self.linkedin if via is Via.LINKEDIN else NOBODY.id

    def keep(self, sender: Sender) -> None:
        if sender.via is Via.MAIL:
            self.mailbox = sender.id
        elif sender.via is Via.LINKEDIN:
            self.linkedin = sender.id


class Run(Allowance):
    """`left` is what remains of the campaign's mails of the day."""

    __slots__ = ("_dues", "_gates", "_now", "campaign", "outlets", "positions")

    def __init__(self, campaign: Campaign, outlets: OUTLETS, now: int) -> None:
        super().__init__(campaign.schedule.zone, campaign.daily_cap, campaign.used)
        self.campaign = campaign
        self.positions = {step.number: position for position, step in enumerate(campaign.steps)}
        self.outlets = {
            Via.MAIL: chosen(outlets, Via.MAIL, campaign.mailbox_ids),
            Via.LINKEDIN: chosen(outlets, Via.LINKEDIN, campaign.linkedin_ids),
            Via.HAND: {NOBODY.id: Outlet(NOBODY)},
        }
        self._now = now
        self._gates: dict[LocalDays, Gate] = {}
        self._dues: dict[tuple[int, LocalDays], tuple[int, int]] = {}

    def priority(self, position: int) -> int:
        """The lower goes first: follow-ups before first steps, unless the campaign has it the other way."""
        return int((position == 0) is not self.campaign.new_first)

    def outlets_for(self, person: Person, via: Via) -> list[Outlet]:
        """Who may serve this person: the one that has begun, else any. None when that one is gone."""
        outlets, begun = self.outlets[via], person.sender_for(via)
        if begun is None:
            return list(outlets.values())
        return [outlets[begun]] if begun in outlets else []

    def clock(self, person: Person, outlet: Outlet | None) -> LocalDays:
        """On whose days this person is served by this outlet."""
        wanted = self.campaign.window_zone
        if wanted == "mailbox" and outlet is not None and outlet.sender is not NOBODY:
            return outlet.days
        if wanted == "contact" and person.days is not None:
            return person.days
        return self.days

    def clock_passed(self, person: Person, via: Via) -> LocalDays:
        """The same of a step that nobody does."""
        return self.clock(person, self.outlets[via].get(person.sender_for(via) or 0))

    def gate(self, days: LocalDays) -> Gate:
        found = self._gates.get(days)
        if found is None:
            found = self._gates[days] = Gate(self.campaign.schedule.shown_in(days.zone), self._now)
        return found

    def due_after(self, second: int, position: int, days: LocalDays) -> int:
        """When the step at `position` falls due; many slots share a moment, so the last answer is kept."""
        known = self._dues.get((position, days))
        if known is None or known[0] != second:
            closed = self.campaign.schedule.closed
            due = self.campaign.steps[position].due_after_second(second, days, closed)
            known = self._dues[position, days] = second, due
        return known[1]


def chosen(outlets: OUTLETS, via: Via, ids: Iterable[int]) -> dict[int, Outlet]:
    return {id_: outlets[via, id_] for id_ in sorted(ids) if (via, id_) in outlets}
