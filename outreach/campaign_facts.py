"""What a campaign is told when it is made or changed, checked; and the same told back, as a copy needs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from outreach.models import Campaign, EmailAccount, LinkedInAccount
from outreach.steps import told
from outreach.windows import check_schedule
from pipelime.errors import Invalid
from pipelime.scope import check_ids

SCHEDULE = ("time_zone", "windows", "window_zone", "holidays", "starts_on", "ends_on")
SWITCHES = ("stop_on_reply", "stop_on_company_reply", "track_opens", "track_clicks")
SETTINGS = (*SWITCHES, "priority", "postal_address", "allow_in_other_campaigns")


def facts(campaign: Campaign) -> dict[str, Any]:
    """Everything but the name, in the words of `create_campaign`."""
    settings = {name: getattr(campaign, name) for name in (*SWITCHES, "priority", "postal_address")}
    allowed = bool(campaign.options.get("allow_in_other_campaigns"))
    return {
        "steps": [told(step) for step in campaign.steps.all()],
        "schedule": {name: as_text(getattr(campaign, name)) for name in SCHEDULE},
        "mailboxes": list(campaign.mailboxes.filter(deleted_at=None).order_by("pk")),
        "linkedin_accounts": list(campaign.linkedin_accounts.filter(deleted_at=None).order_by("pk")),
        "daily_limit": campaign.daily_limit,
        "settings": settings | {"allow_in_other_campaigns": allowed},
    }


def as_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def clean_name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise Invalid("A campaign needs a name", field="name")
    if len(name.strip()) > 250:
        raise Invalid(f"The name has {len(name.strip())} characters; at most 250", field="name")
    return name.strip()


def clean_limit(limit: Any) -> int | None:
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= 1_000_000:
        raise Invalid(
            f"{limit!r}: use a whole number from 1 to 1,000,000, or null for no limit", field="daily_limit"
        )
    return limit


def set_schedule(campaign: Campaign, schedule: dict | None) -> None:
    if schedule is None:
        return
    if unknown := set(schedule) - set(SCHEDULE):
        raise Invalid(
            f"A schedule has {', '.join(SCHEDULE)}, not {sorted(unknown)[0]!r}",
            field="schedule",
        )
    zone = schedule.get("time_zone") or campaign.time_zone
    windows = schedule["windows"] if schedule.get("windows") is not None else campaign.windows
    starts_on, ends_on = as_date(schedule, "starts_on", campaign), as_date(schedule, "ends_on", campaign)
    code = schedule.get("holidays", campaign.holidays)
    days_off = code.strip().upper() if isinstance(code, str) else ""
    check_schedule(zone, windows, starts_on, ends_on, days_off)
    campaign.time_zone, campaign.windows = zone, windows
    campaign.starts_on, campaign.ends_on = starts_on, ends_on
    campaign.window_zone = chosen(
        schedule.get("window_zone", campaign.window_zone), Campaign.WindowZone, "schedule", "window_zone"
    )
    campaign.holidays = days_off


def as_date(schedule: dict, name: str, campaign: Campaign) -> date | None:
    value = schedule.get(name, getattr(campaign, name))
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Invalid(f"{name}: {value!r} is no date; use YYYY-MM-DD", field="schedule") from None


def set_settings(campaign: Campaign, settings: dict) -> None:
    if unknown := set(settings) - set(SETTINGS):
        raise Invalid(f"settings has {', '.join(SETTINGS)}, not {sorted(unknown)[0]!r}", field="settings")
    for name in (*SWITCHES, "allow_in_other_campaigns"):
        if name in settings and not isinstance(settings[name], bool):
            raise Invalid(f"{name} is true or false, not {settings[name]!r}", field="settings")
    for name in SWITCHES:
        setattr(campaign, name, settings.get(name, getattr(campaign, name)))
    campaign.priority = chosen(
        settings.get("priority", campaign.priority), Campaign.Priority, "settings", "priority"
    )
    campaign.postal_address = (settings.get("postal_address", campaign.postal_address) or "").strip()
    if "allow_in_other_campaigns" in settings:
        campaign.options["allow_in_other_campaigns"] = settings["allow_in_other_campaigns"]


def chosen(value: Any, known: Any, field: str, name: str) -> str:
    if value not in known.values:
        raise Invalid(f"{name}: {value!r} is not known; use {', '.join(known.values)}", field=field)
    return value


def set_senders(
    campaign: Campaign,
    mailboxes: Sequence[EmailAccount] | None = None,
    linkedin_accounts: Sequence[LinkedInAccount] | None = None,
) -> None:
    """Those that are given; None leaves them as they are."""
    for model, relation, rows in (
        (EmailAccount, campaign.mailboxes, mailboxes),
        (LinkedInAccount, campaign.linkedin_accounts, linkedin_accounts),
    ):
        if rows is not None:
            check_ids(model, {row.pk for row in rows}, campaign.account_id)
            relation.set(rows)
