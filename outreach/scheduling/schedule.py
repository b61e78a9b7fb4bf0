"""When a campaign may send: weekday windows in a time zone, between two dates, except on days off."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from itertools import pairwise

from outreach.scheduling.days import from_second, local_days, to_second
from outreach.scheduling.sequence import NO_DAY

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
END_OF_DAY = 24 * 60
LONGEST_PAUSE = 800  # days without an opening, after which there will be none: all the others are days off

Window = tuple[int, int]  # minutes since local midnight, half-open


@dataclass(frozen=True, slots=True)
class Schedule:
    """`windows` holds seven lists, Monday first; `starts_on` and `ends_on` are the first and last day.

    A window's edge that the clock skips moves forward to the next time it shows. Of an hour that
    the clock shows twice only the first pass is open. On `closed` days there is no window.
    """

    zone: tzinfo
    windows: Sequence[Sequence[Window]]
    starts_on: date | None = None
    ends_on: date | None = None
    closed: Container[date] = NO_DAY

    def __post_init__(self) -> None:
        if len(self.windows) != len(WEEKDAYS):
            raise ValueError(f"windows has {len(self.windows)} lists; give seven, Monday first")
        ordered = tuple(tuple(sorted(windows)) for windows in self.windows)
        for weekday, windows in zip(WEEKDAYS, ordered, strict=True):
            check_windows(weekday, windows)
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError(f"ends_on {self.ends_on} is before starts_on {self.starts_on}; swap them")
        object.__setattr__(self, "windows", ordered)

    def next_open(self, at: datetime) -> datetime | None:
        """The first open moment from `at` on, or None when there is none left."""
        second = to_second(at)
        opening = next(self.openings(second), None)
        return from_second(max(second, opening[0])) if opening else None

    def opens_between(self, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        first, last = to_second(begin), to_second(end)
        found = []
        for opens, closes in self.openings(first):
            if opens >= last:
                break
            found.append((from_second(max(first, opens)), from_second(min(last, closes))))
        return found

    def openings(self, second: int) -> Iterator[tuple[int, int]]:
        """Half-open stretches that close after `second`, in order, endless unless `ends_on` is set."""
        if not any(self.windows):
            return
        day = local_days(self.zone).day_of(second)
        if self.starts_on:
            day = max(day, self.starts_on.toordinal())
        last = self.ends_on.toordinal() if self.ends_on else date.max.toordinal() - 1
        opened = day
        while day <= last and day - opened <= LONGEST_PAUSE:
            for opening in self._on(day):
                opened = day
                if opening[1] > second:
                    yield opening
            day += 1

    def shown_in(self, zone: tzinfo) -> Schedule:
        """The same windows on another zone's clock."""
        return self if zone is self.zone else replace(self, zone=zone)

    def is_day_off(self, day: int) -> bool:
        """Whether this day, given by its ordinal, would have windows if it were not closed."""
        return bool(self.windows[(day - 1) % 7]) and date.fromordinal(day) in self.closed

    def ended_at(self) -> int | None:
        return local_days(self.zone).start(self.ends_on.toordinal() + 1) if self.ends_on else None

    def _on(self, day: int) -> Iterator[tuple[int, int]]:
        windows = self.windows[(day - 1) % 7]
        if not windows or date.fromordinal(day) in self.closed:
            return
        days = local_days(self.zone)
        again = days.repeated(day)
        for opens, closes in windows:
            begin, end = days.instant(day, opens * 60), days.instant(day, closes * 60)
            pieces = [(begin, end)]
            if again:
                pieces = [(begin, min(end, again[0])), (max(begin, again[1]), end)]
            yield from (piece for piece in pieces if piece[0] < piece[1])


def check_windows(weekday: str, windows: Sequence[Window]) -> None:
    for opens, closes in windows:
        if not 0 <= opens < closes <= END_OF_DAY:
            raise ValueError(
                f"windows for {weekday}: {clock(opens)}-{clock(closes)} must open before it closes, "
                "between 00:00 and 24:00; split a window that crosses midnight over two days"
            )
    for earlier, later in pairwise(windows):
        if later[0] < earlier[1]:
            raise ValueError(
                f"windows for {weekday}: {clock(earlier[0])}-{clock(earlier[1])} and "
                f"{clock(later[0])}-{clock(later[1])} overlap; join them into one"
            )


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
