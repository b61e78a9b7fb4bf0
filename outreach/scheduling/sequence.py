"""The steps of a campaign: how long each waits for the one before, and which variant a contact gets."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from outreach.scheduling.days import LocalDays, from_second, local_days, to_second

FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Delay:
    """`days` and `business_days` keep the local time of day; `hours` are real hours, added last."""

    days: int = 0
    business_days: int = 0
    hours: int = 0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; a delay is 0 or more")

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        return from_second(self.after_second(to_second(moment), local_days(zone)))

    def after_second(self, second: int, days: LocalDays) -> int:
        if self.days or self.business_days:
            day, wall = days.wall(second)
            second = days.instant(add_business_days(day + self.days, self.business_days), wall)
        return second + self.hours * 3600


def add_business_days(day: int, count: int) -> int:
    while count:
        day += 1
        if (day - 1) % 7 <= FRIDAY:
            count -= 1
    return day


@dataclass(frozen=True, slots=True)
class Step:
    """`delay` counts from the slot of the step before; `variants` are keys with whole-number weights."""

    number: int
    delay: Delay
    variants: Sequence[tuple[str, int]]

    def __post_init__(self) -> None:
        weights = [weight for _, weight in self.variants]
        if min(weights, default=0) < 0 or not sum(weights):
            raise ValueError(
                f"step {self.number}: variants have weights {weights}; give one variant a weight above 0"
            )

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
