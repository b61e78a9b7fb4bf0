"""Answers shaped straight from database rows, by a plan made once from a serializer's fields."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from django.db import models
from rest_framework import serializers

from pipelime.prepared import Prepared, read


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
    """One list field, and how each of its parts is made."""

    name: str
    make: Callable[..., Any]


class Part(NamedTuple):
    """A value made of several columns; `typed` are those that `make` wants in Python's own types."""

    name: str
    make: Callable[..., Any]
    columns: Sequence[str]
    typed: Iterable[int] = ()


class Plan:
    """How rows of one serializer are shaped."""

    def __init__(self, serializer: type[Shaped]):
        self.template: dict[str, Any] = {}
        self.names: list[str] = []
        self.plain: list[str] = []
        self.extra: list[str] = []
        self.made: list[Made] = []
        self.lists: list[tuple[str, Part]] = []
        self.typed: set[int] = set()
        self.reads: dict[type[models.Model], tuple[list[Prepared], list[Listed]]] = {}
        self.complete = serializer.complete if serializer.complete is not Shaped.complete else None
        for part in self.sorted_out(serializer._declared_fields):  # noqa: SLF001  DRF's own name for them
            start = len(self.columns())
            self.extra += part.columns
            self.typed |= {start + position for position in part.typed}
            self.made.append(Made(part.name, part.make, start, start + len(part.columns)))

    def sorted_out(self, fields: dict[str, serializers.Field]) -> list[Part]:
        """Note the plain columns and the lists; return the values that are made of columns."""
        parts: list[Part] = []
        for name, field in fields.items():
            self.template[name] = None
            source = (field.source or name).replace(".", "__")
            if isinstance(field, Names):
                self.lists.append((source, Part(name, lambda value: value, (field.column,))))
            elif isinstance(field, serializers.ListSerializer):
                inner = plan_of(type(field.child))
                self.lists.append((source, Part(name, inner.make, inner.columns(), inner.typed)))
            elif isinstance(field, serializers.Serializer):
                inner = plan_of(type(field))
                columns = [f"{source}__{column}" for column in inner.columns()]
                parts.append(Part(name, inner.make, columns, inner.typed))
            elif part := computed(name, field, source):
                parts.append(part)
            elif not isinstance(field, Computed):
                self.names.append(name)
                self.plain.append(source)
        return parts

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
        prepared, lists = self.reads.get(model) or self.prepare(model)
        rows, *parts = read(prepared, ids)
        shaped = {pk: self.one(row) for pk, *row in rows}
        for (name, make), listed in zip(lists, parts, strict=True):
            found: dict[int, list[Any]] = defaultdict(list)
            for pk, *values in listed:
                found[pk].append(make(*values))
            for pk, row in shaped.items():
                row[name] = found.get(pk, [])
        if self.complete is not None:
            for row in shaped.values():
                self.complete(row)
        return shaped

    def prepare(self, model: type[models.Model]) -> tuple[list[Prepared], list[Listed]]:
        prepared = [Prepared(model, "pk", self.columns(), self.typed)]
        prepared += [parts_of(model, source, part) for source, part in self.lists]
        self.reads[model] = prepared, [Listed(part.name, part.make) for _, part in self.lists]
        return self.reads[model]


plan_of = cache(Plan)


def parts_of(model: type[models.Model], source: str, part: Part) -> Prepared:
    """How the parts of many rows are read: by the row they belong to."""
    relation: Any = model._meta.get_field(source)
    owner = relation.field.name if relation.auto_created else relation.related_query_name()
    return Prepared(relation.related_model, owner, part.columns, part.typed)


def computed(name: str, field: serializers.Field, source: str) -> Part | None:
    """How a column that is not answered as it is stored is made."""
    if isinstance(field, Computed) and field.make is not None:
        return Part(name, field.make, field.columns, range(len(field.columns)))
    if isinstance(field, serializers.DecimalField):
        return Part(name, exact, (source,))
    if isinstance(field, serializers.TimeField):
        return Part(name, minutes, (source,))
    return None


def exact(value: Any) -> str | None:
    return None if value is None else str(value)


def minutes(value: Any) -> str | None:
    return None if value is None else str(value)[:5]
