"""What senders, campaigns and domains may still send as a plan moves forward in time; it never moves back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, tzinfo

from outreach.scheduling.days import local_days, to_second
from outreach.scheduling.sequence import pause_after
from outreach.scheduling.state import Account, Sender

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

    @property
    def is_capped(self) -> bool:
        return self._cap < UNCAPPED

    def cap_on(self, day: int) -> int:
        return self._cap

    def turn_to(self, second: int) -> None:
        if second >= self.day_ends:
            day = self.days.day_of(second)
            self.day_ends = self.days.start(day + 1)
            self.left = self.cap_on(day) - self._used.get(day, 0)

    def open_from(self, second: int) -> int:
        """`second` when something is left then, else a later second before which nothing can be."""
        if second >= self.day_ends:
            self.turn_to(second)
        return second if self.left > 0 else self.day_ends


class Outlet(Allowance):
    """A sender: free while its day's cap lasts and its rest after its last slot is over."""

    __slots__ = ("_free_at", "sender")

    def __init__(self, sender: Sender) -> None:
        super().__init__(sender.zone, sender.daily_cap, sender.used)
        self.sender = sender
        self._free_at = to_second(sender.free_at) if sender.free_at else -NEVER

    def cap_on(self, day: int) -> int:
        cap = self.sender.cap_on(day)
        return UNCAPPED if cap is None else cap

    def free_from(self, second: int) -> int:
        """`second` when free then, else a later second before which it cannot be free."""
        if second >= self.day_ends:
            self.turn_to(second)
        if self.left <= 0:
            return self.day_ends
        return max(second, self._free_at)

    def take(self, second: int, seed: bytes, enrolment_id: int, step_number: int) -> None:
        self.left -= 1
        sender = self.sender
        gap, jitter = sender.gap_seconds, sender.jitter_seconds
        self._free_at = second + pause_after(gap, jitter, seed, enrolment_id, step_number)


class Domain(Allowance):
    """The mails to one domain. On a day on which it is full, whatever was due is due on the next one."""

    __slots__ = ("_full",)

    def __init__(self, account: Account, used: Mapping[date, int]) -> None:
        super().__init__(account.zone, account.domain_cap, used)
        full = sorted(day for day, count in self._used.items() if count >= self._cap)
        self._full = [(self.days.start(day), self.days.start(day + 1)) for day in full]

    def due_from(self, second: int) -> int:
        """Before this moment nobody is due any more: the end of the last day that was full by `second`."""
        return max((end for start, end in self._full if start <= second), default=-NEVER)

    def take(self, second: int) -> None:
        self.turn_to(second)
        self.left -= 1
        if self.left == 0:
            self._full = [(second, self.day_ends), *(full for full in self._full if full[0] > second)]


class Domains:
    """The domains of an account's recipients, each made when it is first asked for."""

    __slots__ = ("_account", "_domains")

    def __init__(self, account: Account) -> None:
        self._account = account
        self._domains: dict[str, Domain] = {}

    def named(self, name: str) -> Domain:
        domain = self._domains.get(name)
        if domain is None:
            used = self._account.used_by_domain.get(name, {})
            domain = self._domains[name] = Domain(self._account, used)
        return domain
