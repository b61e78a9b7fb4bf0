"""A place in a thread as a text that pages can carry."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

import orjson

from outreach.conversations.telling import Mark


def write_mark(mark: Mark) -> str:
    said = orjson.dumps([mark.at.astimezone(UTC), mark.is_theirs, mark.pk])
    return base64.urlsafe_b64encode(said).decode().rstrip("=")


def read_mark(text: str) -> Mark | None:
    """None for what write_mark did not write."""
    try:
        at, is_theirs, pk = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        mark = Mark(datetime.fromisoformat(at).astimezone(UTC), bool(is_theirs), int(pk))
    except (ValueError, TypeError, OverflowError, binascii.Error):
        return None
    return mark if 0 <= mark.pk < 2**63 else None
