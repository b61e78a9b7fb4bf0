"""When a lead is to be looked at again: a day, perhaps a time, and the instant in the account's zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from crm.models import Lead
from pipelime.accounts.models import User
from pipelime.bulk import in_chunks
from pipelime.changing import checked
from pipelime.errors import Invalid
from pipelime.events.models import Event

USUAL_DURATION = 30
CHUNK = 1000
FACTS = ("remind_date", "remind_time", "reminder_duration", "reminder_note")
NONE = {
    "remind_date": None,
    "remind_time": None,
    "reminder_at": None,
    "reminder_duration": None,
    "reminder_activity": None,
    "reminder_note": "",
}
FIELDS = tuple(NONE)


def read(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a caller gave of a reminder, each value checked by itself."""
    values = checked(Lead, {name: given[name] for name in FACTS[2:] if name in given})
    for name in ("remind_date", "remind_time"):
        if name in given:
            values[name] = check_format(name, given[name])
    check_time(values.get("remind_time"))
    check_duration(values.get("reminder_duration"))
    return values


def check_format(name: str, value: Any) -> Any:
    try:
        return checked(Lead, {name: value})[name]
    except Invalid as refusal:
        raise Invalid(str(refusal), field=name, rule="reminder_format") from None


def check_time(moment: time | None) -> None:
    if moment is not None and (moment.minute % 15 or moment.second or moment.microsecond):
        raise Invalid(
            f"remind_time: {moment:%H:%M:%S} is not on a quarter of an hour; use one such as 09:15",
            field="remind_time",
            rule="reminder_format",
        )


def check_duration(minutes: int | None) -> None:
    if minutes is not None and minutes not in Lead.DURATIONS:
        known = ", ".join(str(duration) for duration in Lead.DURATIONS)
        raise Invalid(f"reminder_duration: {minutes} is none of {known} (minutes)", field="reminder_duration")


def follow(values: dict[str, Any], after: Callable[[str], Any], zone: ZoneInfo) -> None:
    """Add to `values` what follows for the reminder; `after(name)` is how the lead will be."""
    if after("remind_date") is None:
        if values.get("remind_time") is not None:
            raise Invalid("remind_time needs a remind_date, the day it belongs to", field="remind_date")
        if after("status") == Lead.Status.STANDBY:
            raise Invalid(
                "A lead on standby needs a remind_date, the day to look at it again",
                field="remind_date",
                rule="reminder_missing",
            )
        if "remind_date" in values:
            values.update(NONE)
        return
    if "remind_date" in values or "remind_time" in values:
        values["reminder_at"] = moment_of(after("remind_date"), after("remind_time"), zone)
    if after("remind_time") is not None and after("reminder_duration") is None:
        values["reminder_duration"] = usual_duration(after("owner"))


def follow_zone(events: Sequence[Event]) -> None:
    """Called with every batch of events: when an account moves to another zone, its reminders move along."""
    for event in events:
        if event.name == "account.updated" and "time_zone" in event.data.get("changes", {}):
            recompute(event.account_id, ZoneInfo(event.data["object"]["time_zone"]))


def recompute(account_id: int, zone: ZoneInfo) -> None:
    leads = Lead.objects.filter(account=account_id, remind_date__isnull=False)
    for chunk in in_chunks(leads.only("account", "remind_date", "remind_time").iterator(CHUNK), CHUNK):
        for lead in chunk:
            lead.reminder_at = moment_of(lead.remind_date, lead.remind_time, zone)
        Lead.objects.bulk_update(chunk, ["reminder_at"])


def moment_of(day: date, at: time | None, zone: ZoneInfo) -> datetime:
    """The instant; a day without a time begins at midnight, and a time that does not exist moves forward."""
    return datetime.combine(day, at or time(), tzinfo=zone).astimezone(UTC)


def usual_duration(owner: User | None) -> int:
    return owner.default_reminder_duration if owner is not None else USUAL_DURATION
