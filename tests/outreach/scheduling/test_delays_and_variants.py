from collections import Counter

import pytest

from outreach.scheduling import Delay, Step
from tests.outreach.scheduling.builders import PARIS, SANTIAGO, local, utc


@pytest.mark.parametrize(
    ("moment", "days", "expected"),
    [
        ("2026-03-27T09:30", 3, "2026-03-30T09:30"),  # over the change to summer time
        ("2026-10-23T09:30", 3, "2026-10-26T09:30"),  # and back
        ("2028-02-28T09:30", 1, "2028-02-29T09:30"),
        ("2026-12-31T09:30", 1, "2027-01-01T09:30"),
        ("2026-03-28T02:30", 1, "2026-03-29T03:00"),  # 02:30 does not exist: the next time that does
        ("2026-10-24T02:30", 1, "2026-10-25T02:30"),  # 02:30 comes twice: the first
    ],
)
def test_days_keep_the_local_time(moment, days, expected):
    assert Delay(days=days).after(local(moment, PARIS), PARIS) == local(expected, PARIS)


def test_a_missing_midnight_moves_forward_in_santiago():
    moment = local("2026-09-05T00:00", SANTIAGO)

    assert Delay(days=1).after(moment, SANTIAGO) == local("2026-09-06T01:00", SANTIAGO)


def test_days_counted_from_a_repeated_hour_keep_its_local_time():
    moment = local("2026-10-25T02:30", PARIS, fold=1)

    assert Delay(days=1).after(moment, PARIS) == local("2026-10-26T02:30", PARIS)


@pytest.mark.parametrize(
    ("moment", "count", "expected"),
    [
        ("2026-01-05T10:00", 1, "2026-01-06T10:00"),
        ("2026-01-09T10:00", 1, "2026-01-12T10:00"),  # Friday to Monday
        ("2026-01-10T10:00", 1, "2026-01-12T10:00"),  # Saturday to Monday
        ("2026-01-11T10:00", 2, "2026-01-13T10:00"),
        ("2026-01-07T10:00", 10, "2026-01-21T10:00"),
    ],
)
def test_business_days_skip_the_weekend(moment, count, expected):
    assert Delay(business_days=count).after(local(moment, PARIS), PARIS) == local(expected, PARIS)


def test_hours_are_real_hours():
    moment = local("2026-03-28T12:00", PARIS)

    assert Delay(hours=24).after(moment, PARIS) == local("2026-03-29T13:00", PARIS)


def test_days_then_business_days_then_hours():
    thursday = local("2026-01-08T10:00", PARIS)

    delay = Delay(days=2, business_days=1, hours=3)

    assert delay.after(thursday, PARIS) == local("2026-01-12T13:00", PARIS)


def test_a_fraction_of_a_second_is_rounded_up():
    assert Delay(hours=1).after(utc("2026-01-08T10:00:00.000001"), PARIS) == utc("2026-01-08T11:00:01")


def test_a_negative_delay_is_refused():
    with pytest.raises(ValueError, match="business_days is -1; a delay is 0 or more"):
        Delay(business_days=-1)


def test_variants_follow_their_weights():
    step = Step(2, Delay(), [("short", 70), ("long", 20), ("none", 0), ("bold", 10)])

    drawn = Counter(step.variant_for(b"seed", enrolment_id) for enrolment_id in range(10_000))

    assert set(drawn) == {"short", "long", "bold"}
    assert drawn["short"] == pytest.approx(7000, abs=150)
    assert drawn["long"] == pytest.approx(2000, abs=150)


def test_a_draw_depends_on_seed_enrolment_and_step_and_on_nothing_else():
    variants = [(str(number), 1) for number in range(1000)]
    step, other = Step(1, Delay(), variants), Step(2, Delay(days=1), variants)

    assert [step.variant_for(b"seed", 1), step.variant_for(b"seed", 2)] == ["995", "402"]
    assert step.variant_for(b"tree", 1) != step.variant_for(b"seed", 1)
    assert other.variant_for(b"seed", 1) != step.variant_for(b"seed", 1)


@pytest.mark.parametrize("variants", [[], [("a", 0)], [("a", 2), ("b", -1)]])
def test_a_step_without_a_usable_variant_is_refused(variants):
    with pytest.raises(ValueError, match="step 3: variants have weights"):
        Step(3, Delay(), variants)
