"""What bodies may hold: serializers that refuse unknown fields by name, and fields that name other rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any
from uuid import UUID

from django.db import models
from rest_framework import serializers


class Input(serializers.Serializer):
    """A body. Fields that it does not declare are refused; those left out of a PATCH stay as they are."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError(
                {"non_field_errors": [f"Send a JSON object, not {kind_of(data)}"]}
            )
        known = [name for name, field in self.fields.items() if not field.read_only]
        if unknown := [name for name in data if name not in known]:
            raise serializers.ValidationError({name: [no_such("field", name, known)] for name in unknown})
        return super().to_internal_value(data)


@cache
def reader(kind: type[serializers.Serializer], *, partial: bool) -> serializers.Serializer:
    """One serializer for all requests: validating leaves it as it was, and making one copies every field."""
    return kind(partial=partial)


class Nothing(Input):
    """The body of an action that takes none."""


def kind_of(value: Any) -> str:
    names = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}
    return names.get(type(value), "null")


def no_such(what: str, name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    if near := get_close_matches(name, known, 1):
        return f"is no {what} here; did you mean {near[0]}?"
    return f"is no {what} here; known: {', '.join(known)}" if known else f"is no {what} here; none is taken"


def as_uuid(value: Any) -> UUID | None:
    """The id, or None for what is no UUID and thus names no row."""
    try:
        return UUID(value) if isinstance(value, str) and len(value) == 36 else None
    except ValueError:
        return None


class RowField(serializers.Field):
    """The id of another row of the account: `RowField(lambda: Step.objects.all(), "step")`.

    A foreign row's id looks like one that does not exist.
    """

    def __init__(self, rows: Callable[[], models.QuerySet], what: str, **kwargs: Any):
        self.rows, self.what = rows, what
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> models.Model:
        uid = as_uuid(data)
        found = self.rows().filter(uid=uid).first() if uid else None
        if found is None:
            raise serializers.ValidationError(f"There is no {self.what} with the id {data!r}")
        return found

    def to_representation(self, value: models.Model) -> str:
        return str(value.uid)  # type: ignore[attr-defined]


class ObjectField(serializers.DictField):
    """A JSON object whose keys the domain knows, such as custom fields."""

    def __init__(self, **kwargs: Any):
        super().__init__(child=serializers.JSONField(), **kwargs)


class RowsField(serializers.ListField):
    """Rows of cells. The domain checks every cell once, and names the row and the column that is wrong."""

    def __init__(self, **kwargs: Any):
        super().__init__(child=serializers.ListField(child=serializers.CharField()), **kwargs)

    def run_child_validation(self, data: Any) -> Any:
        return data
