"""Filters of lists, strict about what they are given."""

from __future__ import annotations

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework import exceptions

FLAGS = {"true": True, "1": True, "false": False, "0": False}


class FlagFormField(forms.Field):
    def to_python(self, value):
        if value in (None, ""):
            return None
        if str(value).lower() not in FLAGS:
            raise ValidationError(f"{value!r} is neither true nor false")
        return FLAGS[str(value).lower()]


class FlagFilter(django_filters.Filter):
    """true or false; anything else is refused, where django-filter would take it for "either"."""

    field_class = FlagFormField


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

    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    updated_after = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte")
    updated_before = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="lt")
