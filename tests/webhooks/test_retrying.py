import random
from datetime import UTC, datetime, timedelta

import pytest

from webhooks.retrying import next_due

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECONDS = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]


def pause(*args, **kwargs) -> float:
    return (next_due(*args, NOW, **{"status": 500, **kwargs}) - NOW).total_seconds()


@pytest.mark.parametrize(("tries", "base"), list(enumerate(SECONDS, start=1)))
def test_each_pause_is_the_schedules_within_a_fifth(tries, base):
    pauses = [pause(tries) for _ in range(200)]

    assert 0.8 * base <= min(pauses) < 0.9 * base
    assert 1.1 * base < max(pauses) <= 1.2 * base


def test_there_is_no_eleventh_attempt():
    assert next_due(9, NOW, status=500) is not None
    assert next_due(10, NOW, status=500) is None


@pytest.mark.parametrize(
    "came", [{"status": 429}, {"status": 502}, {"status": 504}, {"timed_out": True, "status": None}]
)
def test_who_asks_to_be_spared_gets_a_minute(came):
    pauses = [pause(1, **came) for _ in range(200)]

    assert min(pauses) == 60
    assert 66 < max(pauses) <= 72


@pytest.mark.parametrize("came", [{"status": 504}, {"timed_out": True, "status": None}])
def test_a_dialect_s_own_pauses_hold_for_slow_receivers_too(came):
    assert 4 <= pause(1, delays=[timedelta(seconds=5)], **came) <= 6


def test_a_refused_connection_is_tried_again_soon():
    assert 4 <= pause(1, status=None) <= 6


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("400", 400),
        ("1", 300),
        ("100000", 600),
        ("99999999999999999999", 600),
        ("Sun, 01 Mar 2026 12:08:20 GMT", 500),
        ("Sun, 01 Mar 2026 13:00:00 GMT", 600),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 300),
    ],
)
def test_a_receiver_may_ask_for_up_to_twice_the_pause(asked, given):
    assert pause(2, status=503, retry_after=asked) == given


@pytest.mark.parametrize("nonsense", ["", "soon", "-5", "0", "٣", "Sun, 01 Mar 2025 12:00:00 GMT", "1e9"])
def test_what_says_nothing_useful_is_passed_over(nonsense, monkeypatch):
    monkeypatch.setattr(random, "uniform", lambda low, high: 1.0)

    assert timedelta(seconds=pause(2, retry_after=nonsense)) == timedelta(minutes=5)
