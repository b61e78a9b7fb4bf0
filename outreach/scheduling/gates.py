"""A campaign's windows on one clock, as a plan moves forward in time."""

from __future__ import annotations

from collections.abc import Iterator

from outreach.scheduling.capacity import NEVER
from outreach.scheduling.days import LocalDays, local_days
from outreach.scheduling.schedule import Schedule


class Gate:
    __slots__ = ("_closes", "_openings", "_opens", "schedule")

    def __init__(self, schedule: Schedule, now: int) -> None:
        self.schedule = schedule
        self._openings: Iterator[tuple[int, int]] = schedule.openings(now)
        self._opens = self._closes = -NEVER

    @property
    def days(self) -> LocalDays:
        return local_days(self.schedule.zone)

    def open_from(self, second: int) -> int:
        """`second` when open then, else a later second before which it cannot be open."""
        while second >= self._closes:
            self._opens, self._closes = next(self._openings, (NEVER, NEVER))
        return max(second, self._opens)
