"""Lists, of which all or a part is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import models
from rest_framework.response import Response

from pipelime.api.propipelines.parameters import number
from pipelime.api.totals import total_of

DEFAULT_LIMIT, MOST = 100, 1000
LARGEST_OFFSET = 10**9


def whole_list(shapes: list[Any]) -> Response:
    """Every row there is. The total is told even so: clients read it."""
    return Response(shapes, headers={"X-TOTAL-COUNT": str(len(shapes))})


def page(
    rows: models.QuerySet,
    given: Mapping[str, Any],
    shapes: Callable[[list[Any]], list[Any]],
    *,
    parts: models.QuerySet | None = None,
) -> Response:
    """`limit` rows from `offset` on, and how many there are in all. With `parts`, what to load of them."""
    limit = number(given, "limit", default=DEFAULT_LIMIT, most=MOST)
    offset = number(given, "offset", default=0, most=LARGEST_OFFSET)
    shown = rows[offset : offset + limit]
    found = list(shown) if parts is None else loaded(shown, parts)
    return Response(shapes(found), headers={"X-TOTAL-COUNT": str(total_of(rows))})


def loaded(shown: models.QuerySet, parts: models.QuerySet) -> list[Any]:
    """By their ids: what a deep page skips and sorts are then entries of an index, not rows and joins."""
    ids = list(shown.values_list("pk", flat=True))
    found = {row.pk: row for row in parts.filter(pk__in=ids)}
    return [found[pk] for pk in ids if pk in found]
