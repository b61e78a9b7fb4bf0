"""When somebody who was away is written to again."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from outreach.models import Message
from outreach.scheduling.sequence import add_business_days
from outreach.windows import closed_of, schedule_for, zone_named

DAYS_TO_CATCH_UP = 1
DAYS_IF_UNKNOWN = 3


def back_at_work(message: Message, back_on: date | None, noticed: datetime) -> datetime:
    """Business days after their return, or after the notice where it names no day, when the campaign's
    windows open again."""
    campaign = message.campaign
    if campaign is None:
        return noticed + timedelta(days=DAYS_IF_UNKNOWN)
    zone = zone_named(campaign.time_zone)
    first = back_on or noticed.astimezone(zone).date()
    count = DAYS_TO_CATCH_UP if back_on else DAYS_IF_UNKNOWN
    day = date.fromordinal(add_business_days(first.toordinal(), count, closed_of(campaign)))
    morning = datetime.combine(day, time(), zone)
    return schedule_for(message, campaign).next_open(morning) or morning
