"""Answers shaped straight from database rows, by a plan made once from a serializer's fields."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import time
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from django.db import models
from rest_framework import serializers

from pipelime.prepared import Prepared


class Computed(serializers.Field):
    """A value made from columns: `Computed(make, "first_name", "email", kind=serializers.CharField())`.

    Without columns the serializer's `complete` fills it in. `kind` is what the documentation shows.
    """

    def __init__(self, make: Callable[..., Any] | None = None, *columns: str, kind: serializers.Field):
        super().__init__(read_only=True, allow_null=kind.allow_null)
        self.make, self.columns, self.kind = make, columns, kind


class Names(serializers.ListField):
    """The names of related rows as plain texts, such as a contact's tags."""

    def __init__(self, column: str = "name", **kwargs: Any):
        self.column = column
        super().__init__(child=serializers.CharField(), read_only=True, **kwargs)


class Shaped(serializers.Serializer):
    """A serializer that is read, not run: its fields say which columns an answer holds and under which names.

    `source` leads to a column ("uid", "company.name"). A nested serializer becomes an object, or null
    when its first column is; with many=True it becomes a list, loaded for a whole page at once.
    """

    @classmethod
    def rows(cls, queryset: models.QuerySet) -> list[dict[str, Any]]:
        """The queryset's rows as they are answered, in one query for ids, one for rows, one for each list."""
        return plan_of(cls).page(queryset)[0]

    @classmethod
    def page(cls, queryset: models.QuerySet, *keys: str) -> tuple[list[dict[str, Any]], list[tuple]]:
        """The same, with the values of these columns beside each row: what a cursor is made of."""
        return plan_of(cls).page(queryset, *keys)

    @staticmethod
    def complete(row: dict[str, Any]) -> None:
        """Last touches that need the other values."""

    def to_representation(self, instance: models.Model) -> dict[str, Any]:
        return plan_of(type(self)).by_id(type(instance), [instance.pk])[instance.pk]


class Made(NamedTuple):
    """One computed value: `make` takes row[start:stop]."""

    name: str
    make: Callable[..., Any]
    start: int
    stop: int


class Listed(NamedTuple):
    """One list field: what is read for a page of rows, and how each part is made."""

    name: str
    parts: Prepared
    make: Callable[..., Any]


Part = tuple[str, Callable[..., Any], Sequence[str]]  # a name, how its value is made, of which columns


class Plan:
    """How rows of one serializer are shaped."""

    typed: range  # the columns that a `make` is given, in Python's own types

    def __init__(self, serializer: type[Shaped]):
        self.template: dict[str, Any] = {}
        self.names: list[str] = []
        self.plain: list[str] = []
        self.extra: list[str] = []
        self.made: list[Made] = []
        self.listed: list[tuple[str, str, Sequence[str], range, Callable[..., Any]]] = []
        self.reads: dict[type[models.Model], tuple[Prepared, list[Listed]]] = {}
        self.complete = serializer.complete if serializer.complete is not Shaped.complete else None
        nested, computed = self.sorted_out(serializer._declared_fields)  # noqa: SLF001  DRF's own name for them
        self.place(nested)
        first = len(self.columns())
        self.place(computed)
        self.typed = range(first, len(self.columns()))

    def sorted_out(self, fields: dict[str, serializers.Field]) -> tuple[list[Part], list[Part]]:
        """Note the plain columns and the lists; return the objects, and what is computed."""
        nested: list[Part] = []
        computed: list[Part] = []
        for name, field in fields.items():
            self.template[name] = None
            source = (field.source or name).replace(".", "__")
            if isinstance(field, Names):
                self.listed.append((name, source, (field.column,), range(0), lambda value: value))
            elif isinstance(field, serializers.ListSerializer):
                inner = plan_of(type(field.child))
                self.listed.append((name, source, inner.columns(), inner.typed, inner.make))
            elif isinstance(field, serializers.Serializer):
                inner = plan_of(type(field))
                columns = [f"{source}__{column}" for column in inner.columns()]
                (computed if inner.typed else nested).append((name, inner.make, columns))
            elif made := conversion(field, source):
                computed.append((name, *made))
            elif not isinstance(field, Computed):
                self.names.append(name)
                self.plain.append(source)
        return nested, computed

    def place(self, fields: list[Part]) -> None:
        for name, make, columns in fields:
            start = len(self.columns())
            self.extra += columns
            self.made.append(Made(name, make, start, start + len(columns)))

    def columns(self) -> list[str]:
        return [*self.plain, *self.extra]

    def one(self, row: Sequence[Any]) -> dict[str, Any]:
        shaped = self.template.copy()
        shaped.update(zip(self.names, row, strict=False))
        for name, make, start, stop in self.made:
            shaped[name] = make(*row[start:stop])
        return shaped

    def make(self, *values: Any) -> dict[str, Any] | None:
        return None if values[0] is None else self.one(values)

    def page(self, queryset: models.QuerySet, *keys: str) -> tuple[list[dict[str, Any]], list[tuple]]:
        found = list(queryset.values_list("pk", *keys))
        rows = self.by_id(queryset.model, [row[0] for row in found])
        found = [row for row in found if row[0] in rows]  # one may have been deleted since
        return [rows[row[0]] for row in found], [row[1:] for row in found]

    def by_id(self, model: type[models.Model], ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Shaped rows by id: one query, and one for each list."""
        own, lists = self.reads.get(model) or self.prepare(model)
        shaped = {pk: self.one(row) for pk, *row in own.rows(ids)}
        for name, parts, make in lists:
            found: dict[int, list[Any]] = defaultdict(list)
            for pk, *values in parts.rows(ids):
                found[pk].append(make(*values))
            for pk, row in shaped.items():
                row[name] = found.get(pk, [])
        if self.complete is not None:
            for row in shaped.values():
                self.complete(row)
        return shaped

    def prepare(self, model: type[models.Model]) -> tuple[Prepared, list[Listed]]:
        lists = [
            Listed(name, parts_of(model, source, columns, typed), make)
            for name, source, columns, typed, make in self.listed
        ]
        self.reads[model] = Prepared(model, "pk", self.columns(), self.typed), lists
        return self.reads[model]


plan_of = cache(Plan)


def parts_of(model: type[models.Model], source: str, columns: Sequence[str], typed: range) -> Prepared:
    """How the parts of many rows are read: by the row they belong to."""
    relation: Any = model._meta.get_field(source)
    owner = relation.field.name if relation.auto_created else relation.related_query_name()
    return Prepared(relation.related_model, owner, columns, typed)


def conversion(field: serializers.Field, source: str) -> tuple[Callable[..., Any], tuple[str, ...]] | None:
    """How a column that is not answered as it is stored is made."""
    if isinstance(field, Computed):
        return (field.make, field.columns) if field.make is not None else None
    if isinstance(field, serializers.DecimalField):
        return exact, (source,)
    if isinstance(field, serializers.TimeField):
        return minutes, (source,)
    return None


def exact(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def minutes(value: time | None) -> str | None:
    return None if value is None else value.strftime("%H:%M")
