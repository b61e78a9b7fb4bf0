"""A campaign's rows as the plain values that scheduling works on."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from outreach import scheduling
from outreach.models import Campaign, SequenceStep
from outreach.scheduling.schedule import END_OF_DAY
from pipelime.errors import Invalid

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = tuple(((0, END_OF_DAY),) for _ in DAYS)


def schedule_of(campaign: Campaign) -> scheduling.Schedule:
    return scheduling.Schedule(
        zone_named(campaign.time_zone),
        weekly(campaign.windows) if campaign.windows else ALWAYS,
        campaign.starts_on,
        campaign.ends_on,
    )


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


def check_schedule(time_zone: str, windows: list[dict[str, Any]], starts_on=None, ends_on=None) -> None:
    """Refuse a schedule that cannot be planned, in words that say what would work."""
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
        [(variant["key"], variant.get("weight", 1)) for variant in step.variants],
    )
