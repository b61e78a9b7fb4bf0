"""When a failed attempt is repeated: a pure function of what came back and how often it was tried."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from django.conf import settings
from django.utils import timezone

JITTER = 0.2
SLOW_DOWN = frozenset({429, 502, 504})
SLOW_DOWN_PAUSE = timedelta(seconds=60)


def next_due(
    tries: int,
    now: datetime,
    *,
    status: int | None,
    timed_out: bool = False,
    retry_after: str = "",
    delays: Sequence[timedelta] | None = None,
) -> datetime | None:
    """The moment of the next attempt after `tries` of them, or None when that was the last one.

    A dialect's own `delays` hold for slow receivers, too. A receiver may ask for up to twice the pause; more
    would let it park rows, less would not spare it.
    """
    is_slow = delays is None and (timed_out or status in SLOW_DOWN)
    delays = settings.WEBHOOK_RETRY_DELAYS if delays is None else delays
    if tries > len(delays):
        return None
    floor = SLOW_DOWN_PAUSE if is_slow else timedelta()
    base = max(delays[tries - 1], floor)
    if asked := asked_pause(retry_after, now):
        return now + min(max(asked, base), 2 * base)
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  it spreads load and guards nothing
    return now + max(base * spread, floor)


def asked_pause(retry_after: str, now: datetime) -> timedelta | None:
    """A Retry-After header, in seconds or as a date; None when it says nothing that can be used."""
    text = retry_after.strip()
    try:
        if text.isascii() and text.isdigit():
            return min(timedelta(seconds=int(text[:9])), timedelta(days=365))
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if timezone.is_naive(moment):
        return None
    return max(moment - now, timedelta())
