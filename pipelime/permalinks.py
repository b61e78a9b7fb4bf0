"""Addresses that stay: where people look at a row, once they have logged in."""

from __future__ import annotations

from django.conf import settings


def permalink(kind: str, number: int | None) -> str:
    """`kind` is a word of the address, such as leads or attachments; `number` the row's id."""
    return f"{settings.PIPELIME_URL}/{kind}/{number}"
