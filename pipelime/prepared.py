"""Reads by id whose SQL is made once: naming columns and joining tables is the same work every time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import connection, models
from django.db.models.functions import Cast

Convert = Callable[[Any], Any]
Converts = list[tuple[int, Convert]]
Rows = list[Sequence[Any]]
# PostgreSQL returns these as text where nobody needs them in Python's own types: it is read sooner.
AS_TEXT = (models.DateTimeField, models.DecimalField, models.TimeField)
# PostgreSQL writes these into JSON as texts that the field itself can read.
READABLE = (models.UUIDField, models.DateField, models.TimeField)  # a DateTimeField is a DateField


class Statement(NamedTuple):
    """SQL with a hole for ids, and what is done to the columns that it returns.

    `as_json` makes the same rows one JSON text, which a driver hands over at once and not row by row;
    it is "" when their types do not allow that.
    """

    sql: str
    converts: Converts
    as_json: str
    json_converts: Converts


class Prepared:
    """`SELECT by, *columns … WHERE by IN (…)`.

    Not scoped: what it is given comes from a query that was, or is a secret that nobody guesses.
    Values are as JSON wants them, but for the columns at `typed` positions, which are Python's own types.
    """

    def __init__(self, model: type[models.Model], by: str, columns: Sequence[str], typed: Iterable[int] = ()):
        self.model, self.by, self.columns, self.typed = model, by, columns, frozenset(typed)
        self.made: dict[int, Statement] = {}

    def rows(self, ids: Sequence[Any]) -> Rows:
        """The value of `by`, then the columns, of every row found."""
        if not ids:
            return []
        statement = self.statement(len(ids))
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, [list(ids)] if on_postgresql() else list(ids))
            return converted(cursor.fetchall(), statement.converts)

    def statement(self, ids: int) -> Statement:
        count = 1 if on_postgresql() else ids  # PostgreSQL takes all of them as one array
        if count not in self.made:
            self.made[count] = self.make(count)
        return self.made[count]

    def make(self, count: int) -> Statement:
        fields = self.fields(count)
        compiler = self.compiler(
            count,
            [
                Cast(column, models.TextField()) if self.is_cast(position, field) else column
                for position, (column, field) in enumerate(zip(self.columns, fields, strict=True))
            ],
        )
        sql, params = compiler.as_sql()
        if len(params) != count or (on_postgresql() and sql.count(" IN (%s)") != 1):
            raise RuntimeError(f"{self.model.__name__} by {self.by} takes more than its ids: {params}")
        found = compiler.get_converters([expression for expression, _, _ in compiler.select])
        sql = sql.replace(" IN (%s)", " = ANY(%s)") if on_postgresql() else sql
        json_sql = as_json(sql, len(fields) + 1) if self.fits_json(fields) else ""
        if on_postgresql():
            moments = [
                (n + 1, utc) for n, field in enumerate(fields)
                if isinstance(field, models.DateTimeField) and n not in self.typed
            ]  # fmt: skip
            read_back = [(n + 1, fields[n].to_python) for n in self.typed if isinstance(fields[n], READABLE)]
            return Statement(
                sql, [*self.converts(found, short_cut), *moments], json_sql, [*moments, *read_back]
            )
        flags = [(n + 1, bool) for n, field in enumerate(fields) if isinstance(field, models.BooleanField)]
        in_json = [*self.converts(found, short_cut_in_json), *flags]
        return Statement(sql, self.converts(found, short_cut), json_sql, in_json)

    def fits_json(self, fields: list[models.Field]) -> bool:
        """PostgreSQL's JSON has one kind of number, so an exact one that Python wants must come as it is."""
        exact = on_postgresql() and any(isinstance(fields[n], models.DecimalField) for n in self.typed)
        return not exact and all(map(is_plain, fields))

    def converts(self, found: dict[int, Any], short: Callable[[models.Field], Convert | None]) -> Converts:
        """Django's own converters, or the short cut to JSON where there is one."""
        made = []
        for position, (functions, expression) in found.items():
            cut = None if position - 1 in self.typed else short(expression.output_field)
            if cut is not as_it_is:
                made.append((position, cut or django(functions, expression)))
        return made

    def fields(self, count: int) -> list[models.Field]:
        compiler = self.compiler(count, self.columns)
        compiler.pre_sql_setup()
        return [expression.output_field for expression, _, _ in compiler.select][1:]

    def compiler(self, count: int, columns: Sequence[Any]) -> Any:
        rows = self.model._base_manager.filter(**{f"{self.by}__in": range(1, count + 1)})
        return rows.values_list(self.by, *columns).query.get_compiler(connection=connection)

    def is_cast(self, position: int, field: models.Field) -> bool:
        return on_postgresql() and isinstance(field, AS_TEXT) and position not in self.typed


def read(prepared: Sequence[Prepared], ids: Sequence[int]) -> list[Rows]:
    """The rows of each for the same ids, in one statement if their types allow it."""
    if not ids:
        return [[] for _ in prepared]
    statements = [one.statement(len(ids)) for one in prepared]
    if not all(statement.as_json for statement in statements):
        return [one.rows(ids) for one in prepared]
    holes = [list(ids)] if on_postgresql() else list(ids)
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(s.as_json for s in statements), holes * len(statements))
        texts = cursor.fetchone()
    return [
        converted(orjson.loads(text) if text else [], statement.json_converts)
        for text, statement in zip(texts, statements, strict=True)
    ]


def as_json(sql: str, width: int) -> str:
    names = ", ".join(f"c{number}" for number in range(width))
    row = f"json_build_array({names})" if on_postgresql() else f"json_array({names})"
    rows = f"json_agg({row})::text" if on_postgresql() else f"json_group_array({row})"
    return f"(WITH found({names}) AS ({sql}) SELECT {rows} FROM found)"  # noqa: S608  made by the ORM


def is_plain(field: models.Field) -> bool:
    """Whether nothing but the driver stands between the column and its value."""
    return isinstance(field, models.JSONField) or not hasattr(field, "from_db_value")


def on_postgresql() -> bool:
    return connection.vendor == "postgresql"


def converted(rows: Iterable[Sequence[Any]], converts: Converts) -> Rows:
    if not converts:
        return list(rows)
    changed = [list(row) for row in rows]
    for position, convert in converts:
        for row in changed:
            if row[position] is not None:
                row[position] = convert(row[position])
    return changed


def django(functions: list[Any], expression: Any) -> Convert:
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


def short_cut_in_json(field: models.Field) -> Convert | None:
    """In SQLite's JSON, moments are the text that it stores."""
    if isinstance(field, models.DateTimeField):
        return utc_without_zone
    return as_it_is if isinstance(field, models.DateField) else short_cut(field)


def dashed(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def utc(text: str) -> str:
    """PostgreSQL's text of a moment, whose session speaks UTC and drops the last zeros."""
    clock = text[11:-3]
    return f"{text[:10]}T{clock.ljust(15, '0') if len(clock) > 8 else clock}Z"


def utc_without_zone(text: str) -> str:
    return f"{text[:10]}T{text[11:]}Z"


def as_it_is(value: Any) -> Any:
    return value
