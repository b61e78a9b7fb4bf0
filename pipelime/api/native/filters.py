"""Filters of lists, strict about what they are given."""

from __future__ import annotations

from datetime import UTC

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters.fields import IsoDateTimeField
from rest_framework import exceptions

FLAGS = {"true": True, "1": True, "false": False, "0": False}


class FlagFormField(forms.Field):
    def to_python(self, value):
        if value in (None, ""):
            return None
        if str(value).lower() not in FLAGS:
            raise ValidationError(f"{value!r} is neither true nor false")
        return FLAGS[str(value).lower()]


class FlagFilter(django_filters.BooleanFilter):
    """true or false; anything else is refused, where django-filter would take it for "either"."""

    field_class = FlagFormField


class MomentFormField(IsoDateTimeField):
    """In UTC: an offset can carry the first or the last day that there is out of every calendar."""

    def to_python(self, value):
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError(f"{value!r} lies outside the years 1 to 9999 in UTC") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A moment with its offset from UTC, such as 2026-03-01T09:00:00+01:00."""

    field_class = MomentFormField


class WordsFilter(django_filters.BaseInFilter, django_filters.CharFilter):
    """One or several values, separated by commas."""


class CheckedFilters(django_filters.FilterSet):
    """A filter set whose bad values are refused by name."""

    def narrowed(self) -> QuerySet:
        if not self.is_valid():
            raise exceptions.ValidationError({name: list(texts) for name, texts in self.errors.items()})
        return self.qs


class AgeFilters(CheckedFilters):
    """What every list of records can be narrowed by: when rows were made and last changed."""

    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
    updated_after = MomentFilter(field_name="updated_at", lookup_expr="gte")
    updated_before = MomentFilter(field_name="updated_at", lookup_expr="lt")
