"""How tests speak each dialect: one entry a dialect, found by the class that its views share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework.test import APIClient

from pipelime.api.http import DialectViewSet
from pipelime.api.native.resources import NativeViewSet


@dataclass(frozen=True)
class Dialect:
    name: str
    headers: Callable[[str], dict[str, str]]  # how a raw key is sent
    identify: Callable[[Any], str]  # how a row is named in a path
    missing: str  # such a name that no row has
    suspended: int = 402  # what a suspended account is answered

    def client(self, raw_key: str = "") -> APIClient:
        return APIClient(headers=self.headers(raw_key) if raw_key else {})


DIALECTS: dict[type[DialectViewSet], Dialect] = {
    NativeViewSet: Dialect(
        name="native",
        headers=lambda raw: {"Authorization": f"Bearer {raw}"},
        identify=lambda row: str(row.uid),
        missing=str(UUID(int=7)),
        suspended=403,
    ),
}


def dialect_of(view: type[DialectViewSet]) -> Dialect:
    for base, dialect in DIALECTS.items():
        if issubclass(view, base):
            return dialect
    raise LookupError(f"{view.__name__} belongs to no dialect in tests/api/dialects.py: add one")
