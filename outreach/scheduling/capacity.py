"""What a mailbox and a campaign may still send as a plan moves forward in time; it never moves back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, tzinfo

from outreach.scheduling.days import local_days, to_second
from outreach.scheduling.sequence import draw
from outreach.scheduling.state import Campaign, Mailbox

NEVER = 1 << 60
UNCAPPED = 1 << 60


class Allowance:
    """A daily cap that starts anew with each local day; `left` is that of the day turned to last."""

    __slots__ = ("_cap", "_used", "day_ends", "days", "left")

    def __init__(self, zone: tzinfo, daily_cap: int | None, used: Mapping[date, int]) -> None:
        self.days = local_days(zone)
        self._cap = UNCAPPED if daily_cap is None else daily_cap
        self._used = {day.toordinal(): count for day, count in used.items()}
        self.day_ends = -NEVER
        self.left = 0

    def turn_to(self, second: int) -> None:
        if second >= self.day_ends:
            day = self.days.day_of(second)
            self.day_ends = self.days.start(day + 1)
            self.left = self._cap - self._used.get(day, 0)


class Sender(Allowance):
    """A mailbox: free while its day's cap lasts and the gap after its last slot is over."""

    __slots__ = ("_free_at", "_gap", "id")

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(mailbox.zone, mailbox.daily_cap, mailbox.used)
        self.id = mailbox.id
        self._gap = mailbox.gap_seconds
        self._free_at = to_second(mailbox.last_slot) + self._gap if mailbox.last_slot else -NEVER

    def free_from(self, second: int) -> int:
        """`second` when free then, else a later second before which it cannot be free."""
        if second >= self.day_ends:
            self.turn_to(second)
        if self.left <= 0:
            return self.day_ends
        return max(second, self._free_at)

    def take(self, second: int) -> None:
        self.left -= 1
        self._free_at = second + self._gap


class Run(Allowance):
    """A campaign: open in its windows while its day's cap lasts."""

    __slots__ = ("_closes", "_dues", "_openings", "_opens", "campaign", "positions", "senders")

    def __init__(self, campaign: Campaign, senders: Mapping[int, Sender], now: int) -> None:
        super().__init__(campaign.schedule.zone, campaign.daily_cap, campaign.used)
        self.campaign = campaign
        self.senders = {id_: senders[id_] for id_ in sorted(campaign.mailbox_ids) if id_ in senders}
        self.positions = {step.number: position for position, step in enumerate(campaign.steps)}
        self._openings: Iterator[tuple[int, int]] = campaign.schedule.openings(now)
        self._opens = self._closes = -NEVER
        self._dues: dict[int, tuple[int, int]] = {}

    def open_from(self, second: int) -> int:
        """`second` when open then, else a later second before which it cannot be open."""
        if second >= self.day_ends:
            self.turn_to(second)
        return self.window_from(second) if self.left > 0 else self.day_ends

    def window_from(self, second: int) -> int:
        while second >= self._closes:
            self._opens, self._closes = next(self._openings, (NEVER, NEVER))
        return max(second, self._opens)

    def sender_from(self, second: int) -> int:
        """When any of the senders is free, in the same terms."""
        soonest = NEVER
        for sender in self.senders.values():
            free = sender.free_from(second)
            if free == second:
                return second
            soonest = min(soonest, free)
        return soonest

    def choose_sender(self, second: int, enrolment_id: int, step_number: int) -> Sender:
        """Of the senders free at `second` (there must be one) the one with the most left of its day."""
        free = [sender for sender in self.senders.values() if sender.free_from(second) == second]
        most = max(sender.left for sender in free)
        best = [sender for sender in free if sender.left == most]
        if len(best) == 1:
            return best[0]
        return best[draw(self.campaign.seed, enrolment_id, step_number, "mailbox", below=len(best))]

    def due_after(self, second: int, position: int) -> int:
        """When the step at `position` falls due; many slots share a moment, so the last answer is kept."""
        known = self._dues.get(position)
        if known is None or known[0] != second:
            due = self.campaign.steps[position].delay.after_second(second, self.days)
            known = self._dues[position] = second, due
        return known[1]
