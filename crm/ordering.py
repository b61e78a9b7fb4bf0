"""The order of what people arrange by hand."""

from __future__ import annotations

from django.db.models import F

# As they were placed; those without a place after these, by age.
BY_POSITION = (F("position").asc(nulls_last=True), "pk")
