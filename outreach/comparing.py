"""Comparing variants by how many answered, without claiming more than the numbers carry."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import NamedTuple

Z = 1.959963984540054  # of a normal distribution: 95 % lie within so many deviations
ENOUGH = 50  # delivered of each variant, before anything is said about them


class Share(NamedTuple):
    """How many of `of` did it, and between which rates the true one lies with 95 % confidence."""

    rate: float
    low: float
    high: float

    @property
    def words(self) -> str:
        return f"{self.rate:.1%} ({self.low:.1%} to {self.high:.1%})"


def share(count: int, of: int) -> Share | None:
    """Wilson's interval, which stays honest where few did it; None of nothing."""
    if not of:
        return None
    rate, square = count / of, Z * Z
    middle = (rate + square / (2 * of)) / (1 + square / of)
    margin = Z * sqrt(rate * (1 - rate) / of + square / (4 * of * of)) / (1 + square / of)
    return Share(rate, max(0.0, middle - margin), min(1.0, middle + margin))


def verdict(answered: Mapping[str, tuple[int, int]]) -> str:
    """A sentence about variants, each with how many answered of how many delivered; "" of a single one."""
    if len(answered) < 2:
        return ""
    small = [f"{key} has {of:,} delivered" for key, (_, of) in answered.items() if of < ENOUGH]
    if small:
        return f"Not enough data: {', '.join(small)}, and {ENOUGH} of each are needed."
    shares = {key: found for key, (count, of) in answered.items() if (found := share(count, of))}
    best = max(shares, key=lambda key: shares[key].rate)
    figures = "; ".join(f"{key} {found.words}" for key, found in shares.items())
    if all(found.high < shares[best].low for key, found in shares.items() if key != best):
        return f"{best} is better, by answers: {figures}."
    return f"Not enough data: the answers do not tell them apart yet: {figures}."
