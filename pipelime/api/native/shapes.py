"""Answers shaped straight from database rows, by a plan made once from the fields that a serializer declares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import time
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from django.db import models
from rest_framework import serializers


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
        """The queryset's rows as they are answered, in one query plus one for each list field."""
        return plan_of(cls).page(queryset)[0]

    @classmethod
    def page(cls, queryset: models.QuerySet, *keys: str) -> tuple[list[dict[str, Any]], list[tuple]]:
        """The same, with the values of these columns beside each row: what a cursor is made of."""
        return plan_of(cls).page(queryset, *keys)

    @staticmethod
    def complete(row: dict[str, Any]) -> None:
        """Last touches that need the other values."""

    def to_representation(self, instance: models.Model) -> dict[str, Any]:
        return self.rows(type(instance)._base_manager.filter(pk=instance.pk))[0]  # type: ignore[attr-defined]


class Made(NamedTuple):
    """One computed value: `make` takes row[start:stop]."""

    name: str
    make: Callable[..., Any]
    start: int
    stop: int


class Listed(NamedTuple):
    """One list field: rows of `source`, each made of `columns`."""

    name: str
    source: str
    columns: tuple[str, ...]
    make: Callable[..., Any]


class Plan:
    """How rows of one serializer are read and shaped."""

    def __init__(self, serializer: type[Shaped]):
        self.template: dict[str, Any] = {}
        self.names: list[str] = []
        self.plain: list[str] = []
        self.lists: list[Listed] = []
        computed: list[tuple[str, Callable[..., Any], tuple[str, ...]]] = []
        for name, field in serializer._declared_fields.items():  # noqa: SLF001  DRF's own name for them
            self.template[name] = None
            source = (field.source or name).replace(".", "__")
            if isinstance(field, Names):
                self.lists.append(Listed(name, source, (field.column,), lambda value: value))
            elif isinstance(field, serializers.ListSerializer):
                inner = plan_of(type(field.child))
                self.lists.append(Listed(name, source, inner.columns(), inner.make))
            elif isinstance(field, serializers.Serializer):
                inner = plan_of(type(field))
                computed.append((name, inner.make, tuple(f"{source}__{c}" for c in inner.columns())))
            elif made := conversion(field, source):
                computed.append((name, *made))
            elif not isinstance(field, Computed):
                self.names.append(name)
                self.plain.append(source)
        self.made: list[Made] = []
        self.extra: list[str] = []
        for name, make, columns in computed:
            start = len(self.plain) + len(self.extra)
            self.extra += columns
            self.made.append(Made(name, make, start, start + len(columns)))
        self.complete = serializer.complete if serializer.complete is not Shaped.complete else None

    def columns(self) -> tuple[str, ...]:
        return (*self.plain, *self.extra)

    def one(self, row: Sequence[Any]) -> dict[str, Any]:
        shaped = self.template.copy()
        shaped.update(zip(self.names, row, strict=False))
        for name, make, start, stop in self.made:
            shaped[name] = make(*row[start:stop])
        return shaped

    def make(self, *values: Any) -> dict[str, Any] | None:
        return None if values[0] is None else self.one(values)

    def page(self, queryset: models.QuerySet, *keys: str) -> tuple[list[dict[str, Any]], list[tuple]]:
        columns = self.columns()
        found = list(queryset.values_list(*columns, "pk", *keys))
        shaped, ids = [self.one(row) for row in found], [row[len(columns)] for row in found]
        for listed in self.lists if ids else ():
            parts = related(queryset.model, listed, ids)
            for row, pk in zip(shaped, ids, strict=True):
                row[listed.name] = parts.get(pk, [])
        if self.complete is not None:
            for row in shaped:
                self.complete(row)
        return shaped, [row[len(columns) + 1 :] for row in found]


plan_of = cache(Plan)


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


def related(model: type[models.Model], listed: Listed, ids: Iterable[int]) -> dict[int, list[Any]]:
    """The parts of many rows, by the row they belong to: one query, whatever their number."""
    relation: Any = model._meta.get_field(listed.source)
    owner = relation.field.name if relation.auto_created else relation.related_query_name()
    parts = relation.related_model._default_manager.filter(**{f"{owner}__in": list(ids)})
    found: dict[int, list[Any]] = defaultdict(list)
    for pk, *values in parts.values_list(owner, *listed.columns):
        found[pk].append(listed.make(*values))
    return found
