"""What planning reads and what it answers, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from typing import NamedTuple

from outreach.scheduling.schedule import Schedule
from outreach.scheduling.sequence import Step, Via

WINDOW_ZONES = ("campaign", "mailbox", "contact")


@dataclass(frozen=True, slots=True)
class Ramp:
    """A new sender's allowance: `first` on its first day, `by` more on each day after it."""

    first_day: date
    first: int
    by: int

    def cap_on(self, day: int) -> int:
        """`day` is a date's ordinal; whatever lies before the first day counts as it."""
        return self.first + self.by * max(0, day - self.first_day.toordinal())


@dataclass(frozen=True, slots=True)
class Sender:
    """A mailbox or a LinkedIn account. `used` counts the slots of each local day, done or not yet.

    A `daily_cap` of None is no cap. A gap of `gap_seconds`, and up to `jitter_seconds` more by chance,
    follows each slot; the one after the last slot so far ends at `free_at`.
    """

    id: int
    via: Via
    zone: tzinfo
    daily_cap: int | None = None
    used: Mapping[date, int] = field(default_factory=dict)
    gap_seconds: int = 0
    jitter_seconds: int = 0
    free_at: datetime | None = None
    ramp: Ramp | None = None

    def cap_on(self, day: int) -> int | None:
        """Of the day with this ordinal: the ramp's, up to the cap itself."""
        if self.ramp is None:
            return self.daily_cap
        risen = self.ramp.cap_on(day)
        return risen if self.daily_cap is None else min(risen, self.daily_cap)


@dataclass(frozen=True, slots=True)
class Account:
    """What all mails of an account share, by days in its zone: a cap, and one for each recipient domain."""

    zone: tzinfo = UTC
    daily_cap: int | None = None
    used: Mapping[date, int] = field(default_factory=dict)
    domain_cap: int | None = None
    used_by_domain: Mapping[str, Mapping[date, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.domain_cap is not None and self.domain_cap < 1:
            raise ValueError(f"domain_cap is {self.domain_cap}; give 1 or more, or None for no cap")


@dataclass(frozen=True, slots=True)
class Campaign:
    """`steps` are in sending order; `used` counts mails by the local day of the schedule's zone.

    `window_zone` says on whose clock the windows open: "campaign", "mailbox" (whichever sender it is) or
    "contact"; where that zone is not known it is the campaign's. `new_first` puts first steps before others.
    """

    id: int
    seed: bytes
    schedule: Schedule
    steps: Sequence[Step]
    mailbox_ids: Sequence[int]
    linkedin_ids: Sequence[int] = ()
    daily_cap: int | None = None
    used: Mapping[date, int] = field(default_factory=dict)
    new_first: bool = False
    window_zone: str = "campaign"

    def __post_init__(self) -> None:
        if self.window_zone not in WINDOW_ZONES:
            raise ValueError(f"window_zone is {self.window_zone!r}; use one of {', '.join(WINDOW_ZONES)}")

    def zone_for(self, waiting: Waiting, sender: Sender | None) -> tzinfo:
        """On whose clock `waiting` is served when `sender` does it."""
        if self.window_zone == "mailbox" and sender is not None:
            return sender.zone
        if self.window_zone == "contact" and waiting.zone is not None:
            return waiting.zone
        return self.schedule.zone

    def following(self, waiting: Waiting, at: datetime, sender: Sender | None = None) -> Waiting | None:
        """What waits once a step was done at `at` by its sender, or was passed over then."""
        numbers = [step.number for step in self.steps]
        position = numbers.index(waiting.step_number) + 1
        if position == len(numbers):
            return None
        step, zone = self.steps[position], self.zone_for(waiting, sender)
        return waiting.followed_by(step.number, step.due_after(at, zone, self.schedule.closed), sender)


class Waiting(NamedTuple):
    """An enrolment's next step. With `mailbox_id` only that mailbox will do; without, any of the campaign;
    so with LinkedIn accounts. `facts` are the conditions that the contact fulfils. No mail has a slot for
    somebody who has no address."""

    enrolment_id: int
    campaign_id: int
    step_number: int
    due: datetime
    mailbox_id: int | None = None
    linkedin_id: int | None = None
    zone: tzinfo | None = None
    domain: str = ""
    facts: frozenset[str] = frozenset()
    has_address: bool = True

    def followed_by(self, step_number: int, due: datetime, sender: Sender | None) -> Waiting:
        """The same contact's next step; the sender that has begun goes on."""
        mailbox_id, linkedin_id = self.mailbox_id, self.linkedin_id
        if sender is not None and sender.via is Via.MAIL:
            mailbox_id = sender.id
        if sender is not None and sender.via is Via.LINKEDIN:
            linkedin_id = sender.id
        place = self.enrolment_id, self.campaign_id, step_number, due
        who = self.zone, self.domain, self.facts, self.has_address
        return Waiting(*place, mailbox_id, linkedin_id, *who)


@dataclass(frozen=True, slots=True)
class State:
    """Everything that shares a sender belongs in one state, because campaigns compete for its cap.

    Rows that fall due at or after the end of the plan may be left out: they change no slot.
    """

    campaigns: Sequence[Campaign]
    senders: Sequence[Sender]
    waiting: Iterable[Waiting]
    account: Account = Account()


class Slot(NamedTuple):
    """`sender_id` is None of what a person does without a sender."""

    enrolment_id: int
    step_number: int
    via: Via
    sender_id: int | None
    variant: str
    at: datetime


class Passed(NamedTuple):
    """A step that is left out, because its condition was not fulfilled when it fell due."""

    enrolment_id: int
    step_number: int
    at: datetime


class PutOff(NamedTuple):
    """Somebody whose domain gets no more mail that day is due when its next day begins."""

    enrolment_id: int
    due: datetime


class Hold(StrEnum):
    NOT_DUE = "not_due"
    OUTSIDE_WINDOW = "outside_window"
    HOLIDAY = "holiday"
    MAILBOX_CAP = "mailbox_cap"
    MAILBOX_GAP = "mailbox_gap"
    LINKEDIN_CAP = "linkedin_cap"
    CAMPAIGN_CAP = "campaign_cap"
    ACCOUNT_CAP = "account_cap"
    DOMAIN_CAP = "domain_cap"
    ENDED = "ended"
    NO_MAILBOX = "no_mailbox"
    NO_LINKEDIN_ACCOUNT = "no_linkedin_account"
    NO_ADDRESS = "no_address"
    NO_STEP = "no_step"


class LeftOver(NamedTuple):
    """Why an enrolment got no slot by the end of the plan; `until` is when that reason lapses, if ever."""

    enrolment_id: int
    code: Hold
    detail: str
    until: datetime | None
