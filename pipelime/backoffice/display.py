"""How amounts and moments look in lists."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format


def money(amount: Decimal | None, currency: str) -> str:
    """ "12,500 EUR": cents only where there are some."""
    if amount is None:
        return "–"
    decimals = 0 if amount == amount.to_integral_value() else 2
    return f"{number_format(amount, decimals, force_grouping=True)} {currency}".strip()
