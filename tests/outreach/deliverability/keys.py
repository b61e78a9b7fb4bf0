"""One RSA key for all tests: making one takes longer than what they test."""

from __future__ import annotations

from functools import cache

from outreach.deliverability.signing import new_key


@cache
def a_key() -> str:
    return new_key()
