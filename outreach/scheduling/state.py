"""What planning reads and what it answers, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import NamedTuple

from outreach.scheduling.schedule import Schedule
from outreach.scheduling.sequence import Step


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`used` counts the slots of each local day, sent or not yet; a `daily_cap` of None is no cap."""

    id: int
    zone: tzinfo
    daily_cap: int | None = None
    used: Mapping[date, int] = field(default_factory=dict)
    gap_seconds: int = 0
    last_slot: datetime | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """`steps` are in sending order; `used` counts slots by the local day of the schedule's zone."""

    id: int
    seed: bytes
    schedule: Schedule
    steps: Sequence[Step]
    mailbox_ids: Sequence[int]
    daily_cap: int | None = None
    used: Mapping[date, int] = field(default_factory=dict)

    def follow_up(self, slot: Slot) -> Waiting | None:
        """What waits once `slot` is planned: the next step, for the same sender."""
        numbers = [step.number for step in self.steps]
        position = numbers.index(slot.step_number) + 1
        if position == len(numbers):
            return None
        due = self.steps[position].delay.after(slot.at, self.schedule.zone)
        return Waiting(slot.enrolment_id, self.id, numbers[position], due, slot.mailbox_id)


class Waiting(NamedTuple):
    """An enrolment's next step. With `mailbox_id` only that sender will do; without, any of the campaign."""

    enrolment_id: int
    campaign_id: int
    step_number: int
    due: datetime
    mailbox_id: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Everything that shares a mailbox belongs in one state, because campaigns compete for its cap.

    Rows that fall due at or after the end of the plan may be left out: they change no slot.
    """

    campaigns: Sequence[Campaign]
    mailboxes: Sequence[Mailbox]
    waiting: Iterable[Waiting]


class Slot(NamedTuple):
    enrolment_id: int
    step_number: int
    mailbox_id: int
    variant: str
    at: datetime


class Hold(StrEnum):
    NOT_DUE = "not_due"
    OUTSIDE_WINDOW = "outside_window"
    MAILBOX_CAP = "mailbox_cap"
    MAILBOX_GAP = "mailbox_gap"
    CAMPAIGN_CAP = "campaign_cap"
    ENDED = "ended"
    NO_MAILBOX = "no_mailbox"
    NO_STEP = "no_step"


class LeftOver(NamedTuple):
    """Why an enrolment got no slot by the end of the plan; `until` is when that reason lapses, if ever."""

    enrolment_id: int
    code: Hold
    detail: str
    until: datetime | None
