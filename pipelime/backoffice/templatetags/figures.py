"""Numbers and moments as people read them in pages."""

from __future__ import annotations

from decimal import Decimal

from django import template

from pipelime.backoffice.display import ago, money

register = template.Library()
register.filter("ago", ago)


@register.filter
def count(number: int | None) -> str:
    return f"{number or 0:,}"


@register.filter
def amount(value: Decimal | None, currency: str) -> str:
    return money(value, currency)


@register.filter
def percent(share: float) -> str:
    """A share of 1."""
    return f"{share:.1%}"
