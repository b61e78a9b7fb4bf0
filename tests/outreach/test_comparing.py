"""What may be said about two variants, and what may not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.comparing import share, verdict


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_s_interval_is_the_one_in_the_books(count, of, low, high):
    found = share(count, of)

    assert (found.rate, round(found.low, 4), round(found.high, 4)) == (count / of, low, high)


def test_nothing_has_no_rate():
    assert share(0, 0) is None


@given(st.integers(1, 100_000), st.data())
@settings(deadline=None, max_examples=40)
def test_the_rate_lies_in_its_interval_and_the_interval_between_none_and_all(of, data):
    found = share(data.draw(st.integers(0, of)), of)

    assert 0 <= found.low <= found.rate + 1e-12
    assert found.rate - 1e-12 <= found.high <= 1


def test_one_is_better_when_the_intervals_lie_apart():
    assert verdict({"A": (40, 200), "B": (10, 200)}) == (
        "A is better, by answers: A 20.0% (15.0% to 26.1%); B 5.0% (2.7% to 9.0%)."
    )


def test_intervals_that_overlap_tell_nothing_apart():
    assert verdict({"A": (12, 100), "B": (9, 100)}) == (
        "Not enough data: the answers do not tell them apart yet: "
        "A 12.0% (7.0% to 19.8%); B 9.0% (4.8% to 16.2%)."
    )


def test_few_mails_prove_nothing_however_far_their_rates_lie_apart():
    assert verdict({"A": (20, 20), "B": (0, 1000)}) == (
        "Not enough data: A has 20 delivered, and 50 of each are needed."
    )


def test_the_best_of_three_is_better_than_each_of_the_others():
    assert verdict({"A": (40, 100), "B": (38, 100), "C": (1, 100)}).startswith("Not enough data")
    assert verdict({"A": (10, 100), "B": (60, 100), "C": (1, 100)}).startswith("B is better")


def test_a_single_variant_is_not_compared():
    assert verdict({"A": (10, 100)}) == ""
