"""Choices that several forms offer."""

from __future__ import annotations

import zoneinfo
from functools import cache


@cache
def time_zones() -> list[tuple[str, str]]:
    """The zones of places, and UTC: not the many old names of the same ones."""
    names = sorted(
        name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/")
    )
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]
