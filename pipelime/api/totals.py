"""How many rows a list has in all, for dialects that must say so, without counting a million each time."""

from __future__ import annotations

import hashlib

from django.core.cache import cache
from django.db.models import QuerySet

COUNTED_ANEW = 10_000  # up to here a total is exact; beyond it may be half a minute old
REMEMBERED = 30  # seconds


def total_of(rows: QuerySet) -> int:
    """The number of rows; of long lists, as it was when it was last counted."""
    rows = rows.order_by()
    few = rows.values("pk")[: COUNTED_ANEW + 1].count()
    if few <= COUNTED_ANEW:
        return few
    key = key_of(rows)
    total = cache.get(key)
    if total is None:
        total = rows.count()
        cache.set(key, total, REMEMBERED)
    return total


def key_of(rows: QuerySet) -> str:
    """The statement with its values, which name the account, too."""
    statement, values = rows.in_scope().values("pk").query.sql_with_params()
    return "total:" + hashlib.sha256(f"{statement}|{values!r}".encode()).hexdigest()
