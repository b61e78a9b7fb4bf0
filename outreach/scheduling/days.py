"""The local days of a time zone laid on the UTC time line, in whole seconds since 1970."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()


def to_second(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; give an aware datetime, for instance in UTC")
    return math.ceil(moment.timestamp())


def from_second(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


class LocalDays:
    """Days are date ordinals; `wall` is seconds on the local clock since midnight.

    Planning asks for the same few days again and again, so every day's start is looked up once.
    Days of 24 hours, nearly all of them, then need arithmetic only.
    """

    __slots__ = ("_starts", "_usual_offset", "zone")

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._starts: dict[int, int] = {}
        self._usual_offset = self._offset(0)

    def start(self, day: int) -> int:
        found = self._starts.get(day)
        if found is None:
            found = self._starts[day] = self._locate(datetime.combine(date.fromordinal(day), time.min))
        return found

    def day_of(self, second: int) -> int:
        day = EPOCH + (second + self._usual_offset) // DAY
        while second < self.start(day):
            day -= 1
        while second >= self.start(day + 1):
            day += 1
        return day

    def wall(self, second: int) -> tuple[int, int]:
        day = self.day_of(second)
        if self._is_regular(day):
            return day, second - self.start(day)
        local = datetime.fromtimestamp(second, self.zone)
        return day, local.hour * 3600 + local.minute * 60 + local.second

    def instant(self, day: int, wall: int) -> int:
        """When the clock first shows `wall`; a time it never shows moves forward to the next it does."""
        if self._is_regular(day):
            return self.start(day) + wall
        return self._locate(datetime.combine(date.fromordinal(day), time.min) + timedelta(seconds=wall))

    def repeated(self, day: int) -> tuple[int, int] | None:
        """The stretch in which the clock, put back, shows times of this day for the second time."""
        start, end = self.start(day), self.start(day + 1)
        put_back = self._offset(start) - self._offset(end)
        if self._is_regular(day) or put_back <= 0:
            return None
        begin = self._transition(start, end)
        return begin, begin + put_back

    def _is_regular(self, day: int) -> bool:
        return self.start(day + 1) - self.start(day) == DAY

    def _locate(self, local: datetime) -> int:
        latest = int(local.replace(tzinfo=self.zone).timestamp())
        if datetime.fromtimestamp(latest, self.zone).replace(tzinfo=None) == local:
            return latest
        earliest = int(local.replace(tzinfo=self.zone, fold=1).timestamp())
        return self._transition(earliest, latest)

    def _transition(self, low: int, high: int) -> int:
        before = self._offset(low)
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(middle) == before:
                low = middle
            else:
                high = middle
        return high

    def _offset(self, second: int) -> int:
        offset = datetime.fromtimestamp(second, self.zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0


@cache
def local_days(zone: tzinfo) -> LocalDays:
    return LocalDays(zone)
