"""Keyset pages: a cursor remembers the last row shown, so rows added meanwhile double and hide nothing."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.core.exceptions import ValidationError as BadValue
from django.db import models
from django.db.models import F, Q
from rest_framework import exceptions
from rest_framework.pagination import BasePagination

from pipelime.api.native.schema import PAGINATION

DEFAULT, MOST = 25, 100
DEEPEST_ROW = 10_000  # counting rows away gets slower with each one; a cursor does not


@dataclass(frozen=True, slots=True)
class Order:
    """One way to sort a list: the name that callers use, the column, the direction. Ties go by id."""

    name: str
    column: str
    descending: bool

    @property
    def sign(self) -> str:
        return "lt" if self.descending else "gt"

    def terms(self) -> list[Any]:
        own = F(self.column).desc(nulls_last=True) if self.descending else F(self.column).asc(nulls_last=True)
        if self.column == "id":
            return ["-id" if self.descending else "id"]
        return [own, "-id" if self.descending else "id"]

    def after(self, value: Any, pk: int) -> Q:
        """Rows behind the one with this value and id; unset values come last either way."""
        beyond = Q(**{f"id__{self.sign}": pk})
        if self.column == "id":
            return beyond
        if value is None:
            return Q(**{f"{self.column}__isnull": True}) & beyond
        unset = Q(**{f"{self.column}__isnull": True})
        return Q(**{f"{self.column}__{self.sign}": value}) | (Q(**{self.column: value}) & beyond) | unset


def order_from(text: str, allowed: dict[str, str], default: str) -> Order:
    name = text or default
    bare = name.removeprefix("-")
    if bare not in allowed:
        names = ", ".join(sorted(allowed))
        raise refused(
            "order", f"{bare!r} is no order here; use one of {names}, with - before it for descending"
        )
    return Order(name, allowed[bare], name.startswith("-"))


def refused(parameter: str, words: str) -> exceptions.ValidationError:
    return exceptions.ValidationError({parameter: [words]})


def write_cursor(order: Order, value: Any, pk: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([order.name, value, pk], default=str)).decode().rstrip("=")


def read_cursor(text: str, order: Order, model: type[models.Model]) -> Q:
    try:
        name, value, pk = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        field = model._meta.get_field(order.column)
        value, pk = None if value is None else storable(field.to_python(value)), int(pk)
    except (ValueError, TypeError, ArithmeticError, binascii.Error, BadValue):
        raise refused(
            "cursor", "is not one that this API gave out; take it from pagination.next_cursor"
        ) from None
    if name != order.name:
        raise refused("cursor", f"was given for order={name}; the order cannot change between pages")
    return order.after(value, pk)


def storable(value: Any) -> Any:
    """The value as a database can compare it; ValueError and OverflowError for what none can hold."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("no text holds NUL")
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def whole_number(parameters: Any, name: str, default: int, least: int, most: int) -> int:
    text = parameters.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= most:
        raise refused(name, f"{text!r} is not a whole number from {least} to {most}")
    return int(text)


class KeysetPagination(BasePagination):
    """`?limit=&cursor=&order=`, `?page=` for those who must, and a total only for those who ask."""

    PARAMETERS = ("limit", "cursor", "page", "order", "include")

    def answer(self, queryset: models.QuerySet, view: Any, serializer: Any = None) -> dict[str, Any]:
        """The envelope: {"data": […], "pagination": {…}}."""
        given = view.request.query_params
        orders = (view.orders, view.default_order) if serializer is None else ({"id": "id"}, "-id")
        order = order_from(given.get("order", ""), *orders)
        limit = whole_number(given, "limit", DEFAULT, 1, MOST)
        page = whole_number(given, "page", 0, 1, DEEPEST_ROW)
        wants_total = self.wants_total(given.get("include", ""))
        matching = queryset.order_by(*order.terms())
        rows = self.cut(matching, given.get("cursor", ""), order, limit, page)
        shown, keys = (serializer or view.serializer_class).page(rows, order.column, "pk")
        more = len(keys) > limit
        pagination = {
            "limit": limit,
            "next_cursor": write_cursor(order, *keys[limit - 1]) if more else None,
            "has_more": more,
        }
        if page:
            pagination["page"] = page
        if wants_total:
            pagination["total"] = queryset.order_by().count()
        return {"data": shown[:limit], "pagination": pagination}

    def cut(
        self, matching: models.QuerySet, cursor: str, order: Order, limit: int, page: int
    ) -> models.QuerySet:
        if cursor and page:
            raise refused("page", "cannot be combined with cursor; send one of them")
        if cursor:
            matching = matching.filter(read_cursor(cursor, order, matching.model))
        start = (page - 1) * limit if page else 0
        if start >= DEEPEST_ROW:
            raise refused("page", f"lies behind row {DEEPEST_ROW}; follow pagination.next_cursor instead")
        return matching[start : start + limit + 1]

    def get_paginated_response_schema(self, schema: dict) -> dict:
        return {
            "type": "object",
            "required": ["data", "pagination"],
            "properties": {"data": schema, "pagination": PAGINATION},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict]:
        return []  # NativeSchema describes them, with the orders of each resource

    @staticmethod
    def wants_total(include: str) -> bool:
        if include not in ("", "total"):
            raise refused("include", f"{include!r} is unknown; 'total' is what can be included")
        return include == "total"
