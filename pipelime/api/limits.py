"""Counts requests and log-ins, each in one atomic operation, so that parallel ones cannot slip past."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, connections, router

from pipelime.api.models import RateWindow

log = structlog.get_logger(__name__)

LOGIN_WINDOW = 15 * 60
PAUSE_AFTER_FAILURE = 5.0  # a dead Redis is asked again this often, and not by every request
COUNT = """
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return used
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """One caller's use of one limit. `reset` is when the window ends, in seconds since 1970."""

    limit: int
    used: int
    reset: int

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit

    @property
    def remaining(self) -> int:
        return max(self.limit - self.used, 0)

    @property
    def retry_after(self) -> int:
        return max(self.reset - int(time.time()), 1)

    @property
    def headers(self) -> dict[str, str]:
        """As callers of most APIs know them."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class Unavailable(Exception):
    """The counter cannot be reached."""


def spend(name: str, *, limit: int, seconds: int) -> Quota | None:
    """Count one request against `limit` a window. None: not limited, or nobody there to count."""
    if limit <= 0:
        return None
    start = int(time.time()) // seconds * seconds
    return spend_between(name, limit, start, start + seconds)


def spend_today(name: str, *, limit: int, zone: ZoneInfo) -> Quota | None:
    """Count one request against `limit` a day, which begins at midnight in this zone."""
    if limit <= 0:
        return None
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    # By the calendar: a day on which clocks change has 23 or 25 hours.
    tomorrow = midnight + timedelta(days=1)
    return spend_between(name, limit, int(midnight.timestamp()), int(tomorrow.timestamp()))


def spend_between(name: str, limit: int, start: int, end: int) -> Quota | None:
    try:
        return Quota(limit, count(name, start, end - start), end)
    except Unavailable as error:
        log.warning("limit.uncounted", limit=name, error=str(error))
        return None


def login_allowed(ip: str, email: str) -> bool:
    """Count one attempt to log in. Without a counter nobody gets in: guessing must not become free."""
    start = int(time.time()) // LOGIN_WINDOW * LOGIN_WINDOW
    who = hashlib.sha256(f"{network(ip)}|{email.strip().casefold()}".encode()).hexdigest()[:40]
    try:
        return count(f"login:{who}", start, LOGIN_WINDOW) <= settings.LOGIN_ATTEMPTS
    except Unavailable as error:
        log.error("login.uncounted", error=str(error))
        return False


def network(ip: str) -> str:
    """An IPv6 customer has a whole /64 to choose addresses from."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    return str(ipaddress.ip_network(f"{address}/{64 if address.version == 6 else 32}", strict=False))


def count(name: str, start: int, seconds: int) -> int:
    """How often `name` was counted in the window that began at `start`, this time included."""
    if settings.COUNTERS_URL:
        return count_in_redis(f"limit:{name}:{start}", seconds)
    return count_in_table(name, start)


def count_in_table(name: str, start: int) -> int:
    try:
        with connections[router.db_for_write(RateWindow)].cursor() as cursor:
            cursor.execute(
                'INSERT INTO api_ratewindow ("key", "window", used) VALUES (%s, %s, 1) '
                'ON CONFLICT ("key") DO UPDATE SET used = CASE '
                'WHEN api_ratewindow."window" = excluded."window" '
                'THEN api_ratewindow.used + 1 ELSE 1 END, "window" = excluded."window" RETURNING used',
                [name, start],
            )
            return cursor.fetchall()[0][0]
    except DatabaseError as error:
        raise Unavailable(str(error)) from error


def count_in_redis(name: str, seconds: int) -> int:
    if time.monotonic() < _broken_until[0]:
        raise Unavailable("Redis did not answer a moment ago")
    try:
        return int(script(settings.COUNTERS_URL)(keys=[name], args=[seconds * 2]))
    except redis.RedisError as error:
        _broken_until[0] = time.monotonic() + PAUSE_AFTER_FAILURE
        raise Unavailable(str(error)) from error


_broken_until = [0.0]


@cache
def script(url: str):
    client = redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
    return client.register_script(COUNT)
