"""The steps of a campaign: how long each waits for the one before, and which variant a contact gets."""

from __future__ import annotations

import hmac
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from outreach.scheduling.days import LocalDays, from_second, local_days, to_second

FRIDAY = 4
NO_DAY: frozenset[date] = frozenset()

# The worker writes slots down so long ahead. No step follows the one before it sooner: when a plan is
# made, everything that could come into it is known, and so the plan comes true.
HORIZON = timedelta(minutes=15)
HORIZON_SECONDS = int(HORIZON.total_seconds())


class Via(StrEnum):
    """How a step is done: by a mailbox, by a LinkedIn account, or by a person without any sender."""

    MAIL = "mail"
    LINKEDIN = "linkedin"
    HAND = "hand"


@dataclass(frozen=True, slots=True)
class Delay:
    """`days` and `business_days` keep the local time of day; `hours` are real hours, added last.

    Business days are neither at the weekend nor in `closed`.
    """

    days: int = 0
    business_days: int = 0
    hours: int = 0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; a delay is 0 or more")

    def after(self, moment: datetime, zone: tzinfo, closed: Container[date] = NO_DAY) -> datetime:
        return from_second(self.after_second(to_second(moment), local_days(zone), closed))

    def after_second(self, second: int, days: LocalDays, closed: Container[date] = NO_DAY) -> int:
        if self.days or self.business_days:
            day, wall = days.wall(second)
            second = days.instant(add_business_days(day + self.days, self.business_days, closed), wall)
        return second + self.hours * 3600


def add_business_days(day: int, count: int, closed: Container[date] = NO_DAY) -> int:
    while count:
        day += 1
        if (day - 1) % 7 <= FRIDAY and date.fromordinal(day) not in closed:
            count -= 1
    return day


@dataclass(frozen=True, slots=True)
class Step:
    """`delay` counts from the slot of the step before; `variants` are keys with whole-number weights.

    With a `condition` it is for those only whose facts name it; for others it is passed over.
    """

    number: int
    delay: Delay
    variants: Sequence[tuple[str, int]]
    via: Via = Via.MAIL
    condition: str = ""

    def __post_init__(self) -> None:
        weights = [weight for _, weight in self.variants]
        if min(weights, default=0) < 0 or not sum(weights):
            raise ValueError(
                f"step {self.number}: variants have weights {weights}; give one variant a weight above 0"
            )

    def due_after(self, moment: datetime, zone: tzinfo, closed: Container[date] = NO_DAY) -> datetime:
        """When it is due if the step before it was done, or passed over, at `moment`."""
        return from_second(self.due_after_second(to_second(moment), local_days(zone), closed))

    def due_after_second(self, second: int, days: LocalDays, closed: Container[date]) -> int:
        return max(self.delay.after_second(second, days, closed), second + HORIZON_SECONDS)

    def variant_for(self, seed: bytes, enrolment_id: int) -> str:
        if len(self.variants) == 1:
            return self.variants[0][0]
        total = sum(weight for _, weight in self.variants)
        point = draw(seed, enrolment_id, self.number, "variant", below=total)
        for key, weight in self.variants:
            point -= weight
            if point < 0:
                return key
        raise AssertionError("a draw lies below the sum of the weights")


def draw(seed: bytes, enrolment_id: int, step_number: int, purpose: str, *, below: int) -> int:
    """A whole number in [0, below), the same whenever and wherever it is drawn."""
    message = f"{enrolment_id}:{step_number}:{purpose}".encode()
    number = int.from_bytes(hmac.digest(seed, message, "sha256")[:8])
    return number * below >> 64


def pause_after(gap: int, jitter: int, seed: bytes, enrolment_id: int, step_number: int) -> int:
    """Seconds for which a sender rests after this slot: `gap`, and up to `jitter` more by chance."""
    if not jitter:
        return gap
    return gap + draw(seed, enrolment_id, step_number, "gap", below=jitter + 1)
