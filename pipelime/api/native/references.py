"""How answers name other rows: their id and what people call them."""

from __future__ import annotations

from rest_framework import serializers

from pipelime.api.native.shapes import Computed, Shaped


def person_name(first_name: str | None, last_name: str | None, email: str | None) -> str:
    return f"{first_name or ''} {last_name or ''}".strip() or email or ""


class NamedRef(Shaped):
    """A row with a name: a company, a pipeline, a step."""

    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()


class CompanyRef(NamedRef):
    pass


class UserRef(Shaped):
    id = serializers.UUIDField(source="uid")
    name = Computed(person_name, "first_name", "last_name", "email", kind=serializers.CharField())
    email = serializers.EmailField()


class ContactRef(Shaped):
    id = serializers.UUIDField(source="uid")
    first_name = serializers.CharField()
    last_name = serializers.CharField()


class LeadRef(Shaped):
    id = serializers.UUIDField(source="uid")
    title = serializers.CharField()
