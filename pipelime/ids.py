"""Public ids: UUIDv7 (RFC 9562), which Python 3.11 cannot make yet."""

from __future__ import annotations

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """48 bits of milliseconds, then 74 random bits: sortable by creation, unguessable."""
    return made_of(time.time_ns() // 1_000_000, os.urandom(10))


def uuid7s(count: int) -> list[UUID]:
    """Many at once: the system is asked for randomness only once."""
    now, noise = time.time_ns() // 1_000_000, os.urandom(10 * count)
    return [made_of(now, noise[at : at + 10]) for at in range(0, 10 * count, 10)]


def made_of(milliseconds: int, noise: bytes) -> UUID:
    value = milliseconds << 80 | int.from_bytes(noise, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
