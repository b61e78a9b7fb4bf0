"""How amounts, moments and other records look on pages."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html


def money(amount: Decimal | None, currency: str) -> str:
    """ "12,500 EUR": cents only where there are some."""
    if amount is None:
        return "–"
    decimals = 0 if amount == amount.to_integral_value() else 2
    return f"{number_format(amount, decimals, force_grouping=True)} {currency}".strip()


def ago(moment: datetime | None) -> str:
    """How long it is past while that is short, the day later on; the exact moment shows on pointing at it."""
    if moment is None:
        return "–"
    local = timezone.localtime(moment)
    exact = date_format(local, "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, past(local))


def past(local: datetime) -> str:
    minutes = int((timezone.now() - local).total_seconds() // 60)
    if 0 <= minutes < 1:
        return "just now"
    if 0 <= minutes < 60:
        return f"{minutes} min ago"
    if 0 <= minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    same_year = local.year == timezone.localtime().year
    return date_format(local, "j M" if same_year else "j M Y")


def linked(row: Model, words: Any = None) -> str:
    """The record's name, or other words, leading to its page."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    words = row if words is None else words
    return format_html('<a class="text-link" href="{}">{}</a>', reverse(name, args=[row.pk]), words)
