"""Public ids sort by their creation and cannot be guessed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import time_machine

from pipelime.ids import uuid7


def test_an_id_is_a_uuid_of_version_7():
    made = uuid7()

    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


def test_an_id_begins_with_its_milliseconds():
    with time_machine.travel(datetime(2026, 3, 29, 1, 0, 0, 250_000, tzinfo=UTC), tick=False):
        made = uuid7()

        assert made.int >> 80 == time.time_ns() // 1_000_000 == 1_774_746_000_250


def test_a_later_id_sorts_after_an_earlier_one():
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        earlier = [uuid7() for _ in range(50)]
        clock.shift(0.001)
        later = [uuid7() for _ in range(50)]

    assert max(earlier) < min(later)
    assert len({*earlier, *later}) == 100
