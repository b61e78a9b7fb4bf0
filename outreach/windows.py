"""A campaign's rows as the plain values that scheduling works on."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from outreach import scheduling
from outreach.days_off import check_days_off, days_off
from outreach.models import Campaign, EmailAccount, LinkedInAccount, Message, SequenceStep
from outreach.scheduling.schedule import END_OF_DAY
from outreach.scheduling.sequence import NO_DAY
from pipelime.errors import Invalid

CHANNEL = SequenceStep.Channel
VIA = {CHANNEL.EMAIL: scheduling.Via.MAIL} | dict.fromkeys(SequenceStep.LINKEDIN, scheduling.Via.LINKEDIN)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORDLESS = [("A", 1)]  # a call or a task may say nothing
ALWAYS = tuple(((0, END_OF_DAY),) for _ in DAYS)


def schedule_of(campaign: Campaign) -> scheduling.Schedule:
    """On the campaign's own clock."""
    return scheduling.Schedule(
        zone_named(campaign.time_zone),
        weekly(campaign.windows) if campaign.windows else ALWAYS,
        campaign.starts_on,
        campaign.ends_on,
        closed_of(campaign),
    )


def schedule_for(message: Message, campaign: Campaign) -> scheduling.Schedule:
    """On the clock by which this message of the campaign goes."""
    contact = message.enrolment.time_zone if message.enrolment else ""
    clocks = Clocks(contact, name_of_zone(message.mailbox), name_of_zone(message.linkedin_account))
    return schedule_of(campaign).shown_in(clocks.of(campaign, message.channel))


def closed_of(campaign: Campaign) -> Container[date]:
    return days_off(campaign.holidays) if campaign.holidays else NO_DAY


class Clocks(NamedTuple):
    """Names of the time zones of an enrolment's contact and senders; "" for those it does not have."""

    contact: str
    mailbox: str
    linkedin: str

    def of(self, campaign: Campaign, channel: str) -> tzinfo:
        """On which of them the campaign has its windows for a step of this channel."""
        name = ""
        if campaign.window_zone == Campaign.WindowZone.CONTACT:
            name = self.contact
        elif campaign.window_zone == Campaign.WindowZone.MAILBOX:
            via = via_of(channel)
            name = {scheduling.Via.MAIL: self.mailbox, scheduling.Via.LINKEDIN: self.linkedin}.get(via, "")
        return known_zone(name) or zone_named(campaign.time_zone)


def via_of(channel: str) -> scheduling.Via:
    return VIA.get(SequenceStep.Channel(channel), scheduling.Via.HAND)


def zone_of(owner: EmailAccount | LinkedInAccount) -> tzinfo:
    """Its own, in which its day's cap counts; else the account's."""
    return zone_named(name_of_zone(owner))


def name_of_zone(owner: EmailAccount | LinkedInAccount | None) -> str:
    return (owner.time_zone or owner.account.time_zone) if owner else ""


@lru_cache
def known_zone(name: str) -> ZoneInfo | None:
    """None of a name that is empty, or means nothing here: one contact's must not stop a whole plan."""
    try:
        return zone_named(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


@lru_cache
def zone_named(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def weekly(windows: list[dict[str, Any]]) -> list[list[tuple[int, int]]]:
    """[{"days": ["mon"], "from": "09:00", "to": "17:00"}] as seven lists of minutes, Monday first."""
    week: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for window in windows:
        for day in window.get("days") or []:
            if day not in DAYS:
                raise Invalid(f"{day!r} is no day; use {', '.join(DAYS)}", field="schedule")
            week[DAYS.index(day)].append((minute(window.get("from")), minute(window.get("to"))))
    return week


def minute(clock: Any) -> int:
    hours, colon, minutes = str(clock).partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2 and int(minutes) < 60):
        raise Invalid(f"{clock!r} is no time of day; use HH:MM such as 09:00, up to 24:00", field="schedule")
    return int(hours) * 60 + int(minutes)


def check_schedule(
    time_zone: str, windows: list[dict[str, Any]], starts_on=None, ends_on=None, holidays: str = ""
) -> None:
    """Refuse a schedule that cannot be planned, in words that say what would work."""
    if holidays:
        check_days_off(holidays)
    if not isinstance(windows, list) or not all(isinstance(window, dict) for window in windows):
        raise Invalid('windows is a list of {"days": […], "from": "09:00", "to": "17:00"}', field="schedule")
    try:
        zone = zone_named(time_zone)
    except (KeyError, ValueError, OSError):
        raise Invalid(
            f"{time_zone!r} is no time zone; use a name such as Europe/Paris", field="schedule"
        ) from None
    for window in windows:
        if not window.get("days"):
            raise Invalid('A window names its days, such as {"days": ["mon", "tue"]}', field="schedule")
        if unknown := set(window) - {"days", "from", "to"}:
            raise Invalid(f"A window has days, from and to, not {sorted(unknown)[0]!r}", field="schedule")
    try:
        scheduling.Schedule(zone, weekly(windows) if windows else ALWAYS, starts_on, ends_on)
    except ValueError as error:
        raise Invalid(str(error), field="schedule") from None


def step_of(step: SequenceStep) -> scheduling.Step:
    return scheduling.Step(
        step.number,
        scheduling.Delay(
            days=step.delay_days, business_days=step.delay_business_days, hours=step.delay_hours
        ),
        [(variant["key"], variant.get("weight", 1)) for variant in step.variants] or WORDLESS,
        via_of(step.channel),
        step.condition,
    )


def due_after(campaign: Campaign, step: SequenceStep, at: datetime, clock: tzinfo) -> datetime:
    """When the step is due if the one before it was done, or passed over, at `at`."""
    return step_of(step).due_after(at, clock, closed_of(campaign))
