"""How answers write moments."""

from __future__ import annotations

from datetime import UTC, datetime


def in_full(at: datetime) -> str:
    """As our own API: 2030-01-31T09:00:00.123456Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def in_milliseconds(at: datetime) -> str:
    """As webhooks and Pro Pipe Lines: 2030-01-31T09:00:00.123Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
