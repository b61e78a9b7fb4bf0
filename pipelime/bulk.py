"""Many rows at once: ids before the insert, COPY on PostgreSQL, executemany on SQLite, and finding many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

import orjson
from django.db import connection, models

from pipelime.scope import ScopeViolation, current_account_id

COPY_FROM = 20  # below this many rows a plain INSERT is quicker than setting up a COPY


@models.ForeignObject.register_lookup
@models.Field.register_lookup
class Among(models.Lookup):
    """`filter(pk__among=ids)`: like `in`, with one parameter however long the list; for thousands of values
    the many parameters of an IN cost more than its answer."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        values = list(self.rhs)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", [*params, values]
        among = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608  the column is the ORM's
        return among, [*params, json_text(values)]


def take_ids(model: type[models.Model], count: int) -> list[int]:
    """Reserve primary keys, so that rows which refer to each other can be written in any order."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [row[0] for row in cursor.fetchall()]
        # An IMMEDIATE transaction is the only writer, so nobody can take these meanwhile.
        cursor.execute(
            "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s RETURNING seq", [count, table]
        )
        row = cursor.fetchone()
        if row is None:  # the first ids of this table
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, count])
        last = row[0] if row else count
        return list(range(last - count + 1, last + 1))


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of plain values (dicts and lists for JSON). Refuses rows of another account.

    `columns` are column names; each row has one value a column, `id` included. Foreign keys are the
    caller's to vouch for: ids that it read inside the scope, or checked with `scope.check_ids`.
    """
    if not rows:
        return
    check_account(model, columns, rows)
    if connection.vendor == "postgresql" and len(rows) >= COPY_FROM:
        copy_rows(model, columns, rows)
    else:
        execute_rows(model, columns, rows)


def insert_row(model: type[models.Model], columns: Sequence[str], row: Sequence[Any]) -> int:
    """Insert one row and return the id that the database gave it."""
    check_account(model, columns, [row])
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks}) RETURNING id',  # noqa: S608
            *converted([row], converters(model, tuple(columns))),
        )
        return cursor.fetchone()[0]


def check_account(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    scope = current_account_id(model.__name__)
    if scope is None or "account_id" not in columns:
        return
    position = list(columns).index("account_id")
    if strangers := {row[position] for row in rows} - {scope}:
        raise ScopeViolation(f"{model.__name__} of account {min(strangers)} under account {scope}")


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    names, adapters = ", ".join(f'"{name}"' for name in columns), converters(model, tuple(columns))
    statement = f'COPY "{model._meta.db_table}" ({names}) FROM STDIN'
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in converted(rows, adapters):
            copy.write_row(row)


def execute_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
    adapters = converters(model, tuple(columns))
    with connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks})',  # noqa: S608
            converted(rows, adapters),
        )


def converted(rows: Sequence[Sequence[Any]], adapters: Sequence[tuple[int, Any]]) -> list[Sequence[Any]]:
    """The rows as the driver takes them; column by column, which is faster than row by row."""
    if not adapters:
        return list(rows)
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for position, adapt in adapters:
        columns[position] = [None if value is None else adapt(value) for value in columns[position]]
    return list(zip(*columns, strict=True))


@cache
def converters(model: type[models.Model], columns: tuple[str, ...]) -> list[tuple[int, Any]]:
    """(position, function) for the columns whose Python values the driver does not take as they are."""
    fields = {field.column: field for field in model._meta.concrete_fields}
    postgres, adapters = connection.vendor == "postgresql", []
    for position, name in enumerate(columns):
        field = fields[name]
        if isinstance(field, models.JSONField):
            adapters.append((position, json_text))
        elif not postgres and isinstance(field, models.UUIDField):
            adapters.append((position, attrgetter("hex")))
        elif not postgres and isinstance(field, models.DateTimeField):
            adapters.append((position, moment_text))
        elif not postgres and isinstance(field, models.DateField | models.TimeField | models.DecimalField):
            adapters.append((position, str))
    return adapters


@lru_cache(maxsize=64)
def moment_text(moment: datetime) -> str:
    """SQLite's text of a moment; the rows of a bulk insert mostly share a few."""
    return connection.ops.adapt_datetimefield_value(moment)


def json_text(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def in_chunks(values: Iterable[Any], size: int) -> Iterable[list[Any]]:
    chunk: list[Any] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
