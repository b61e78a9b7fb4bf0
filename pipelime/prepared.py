"""Reads by id whose SQL is made once: naming columns and joining tables is the same work every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from django.db import connection, models
from django.db.models.functions import Cast

Convert = Callable[[Any], Any]


class Prepared:
    """`SELECT by, *columns … WHERE by IN (…)`.

    Not scoped: what it is given comes from a query that was, or is a secret that nobody guesses.
    Values are as JSON wants them, but for the columns at `typed` positions, which are Python's own types.
    """

    def __init__(self, model: type[models.Model], by: str, columns: Sequence[str], typed: range = range(0)):
        self.model, self.by, self.columns, self.typed = model, by, columns, typed
        self.made: dict[int, tuple[str, list[tuple[int, Convert]]]] = {}

    def rows(self, ids: Sequence[Any]) -> list[Sequence[Any]]:
        """The value of `by`, then the columns, of every row found."""
        if not ids:
            return []
        postgres = connection.vendor == "postgresql"
        count = 1 if postgres else len(ids)  # PostgreSQL takes all of them as one array
        sql, converts = self.made.get(count) or self.make(count)
        with connection.cursor() as cursor:
            cursor.execute(sql, [list(ids)] if postgres else list(ids))
            found = cursor.fetchall()
        return [converted(row, converts) for row in found] if converts else found

    def make(self, count: int) -> tuple[str, list[tuple[int, Convert]]]:
        """SQL for this many ids, and what is done to the columns that the driver does not return ready."""
        postgres = connection.vendor == "postgresql"
        compiler = self.compiler(count, self.columns)
        compiler.pre_sql_setup()
        fields = [expression.output_field for expression, _, _ in compiler.select][1:]
        if postgres:
            compiler = self.compiler(count, [self.column(*found) for found in enumerate(fields)])
        sql, params = compiler.as_sql()
        if len(params) != count or (postgres and sql.count(" IN (%s)") != 1):
            raise RuntimeError(f"{self.model.__name__} by {self.by} takes more than its ids: {params}")
        converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
        found = [
            (position, conversion(functions, expression, typed=position - 1 in self.typed))
            for position, (functions, expression) in converters.items()
        ]
        converts = [(position, convert) for position, convert in found if convert is not as_it_is]
        converts += [
            (position + 1, utc) for position, field in enumerate(fields) if self.is_text(position, field)
        ]
        self.made[count] = sql.replace(" IN (%s)", " = ANY(%s)") if postgres else sql, converts
        return self.made[count]

    def compiler(self, count: int, columns: Sequence[Any]) -> Any:
        rows = self.model._base_manager.filter(**{f"{self.by}__in": range(1, count + 1)})
        return rows.values_list(self.by, *columns).query.get_compiler(connection=connection)

    def column(self, position: int, field: models.Field) -> Any:
        """A moment as text where text will do: psycopg reads moments slowly."""
        name = self.columns[position]
        return Cast(name, models.TextField()) if self.is_text(position, field) else name

    def is_text(self, position: int, field: models.Field) -> bool:
        postgres = connection.vendor == "postgresql"
        return postgres and isinstance(field, models.DateTimeField) and position not in self.typed


def converted(row: Sequence[Any], converts: list[tuple[int, Convert]]) -> list[Any]:
    values = list(row)
    for position, convert in converts:
        if values[position] is not None:
            values[position] = convert(values[position])
    return values


def conversion(functions: list[Any], expression: Any, *, typed: bool) -> Convert:
    """Django's own converters, or the short cut to JSON where there is one."""
    if not typed and (short := short_cut(expression.output_field)):
        return short

    def convert(value: Any) -> Any:
        for function in functions:
            value = function(value, expression, connection)
        return value

    return convert


def short_cut(field: models.Field) -> Convert | None:
    """What SQLite's driver returns for ids and moments is nearly JSON already."""
    if isinstance(field, models.JSONField):
        return orjson.loads
    if connection.vendor == "sqlite" and isinstance(field, models.UUIDField):
        return dashed
    if connection.vendor == "sqlite" and isinstance(field, models.DateTimeField):
        return as_it_is  # without a zone, which the renderer takes for UTC
    return None


def dashed(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def utc(text: str) -> str:
    """PostgreSQL's text of a moment, whose session speaks UTC and drops the last zeros."""
    clock = text[11:-3]
    return f"{text[:10]}T{clock.ljust(15, '0') if len(clock) > 8 else clock}Z"


def as_it_is(value: Any) -> Any:
    return value
