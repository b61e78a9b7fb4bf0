"""How tests speak each dialect: one entry a dialect, found by the class that its views share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from rest_framework.test import APIClient

from pipelime.api.http import DialectViewSet
from pipelime.api.native.resources import NativeViewSet
from pipelime.api.pgai.resources import PgaiViewSet
from pipelime.api.propipelines.resources import ProPipeLinesViewSet
from pipelime.api.sendpilot.ids import id_of
from pipelime.api.sendpilot.resources import SendPilotViewSet


@dataclass(frozen=True)
class Dialect:
    name: str
    headers: Callable[[str], dict[str, str]]  # how a raw key is sent
    identify: Callable[[Any], str]  # how a row is named in a path
    missing: str  # such a name that no row has
    suspended: int = 402  # what a suspended account is answered
    refused: int = 403  # what a key without the scope is answered
    # Where a path names two rows: its parameter -> how the named row's parent is reached from the row.
    parents: dict[str, str] = field(default_factory=dict)
    # What makes a row one of this dialect's: the model's or the view's name -> what its factory is told.
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Lists that answer nothing without a parameter: how their path ends -> a query that they take.
    queries: dict[str, str] = field(default_factory=dict)

    def client(self, raw_key: str = "") -> APIClient:
        return APIClient(headers=self.headers(raw_key) if raw_key else {})


DIALECTS: dict[type[DialectViewSet], Dialect] = {
    NativeViewSet: Dialect(
        name="native",
        headers=lambda raw: {"Authorization": f"Bearer {raw}"},
        identify=lambda row: str(row.uid),
        missing=str(UUID(int=7)),
        suspended=403,
        made={
            "CampaignTemplateViewSet": {"is_template": True},
            "Message": {"channel": "task", "state": "todo"},
        },
    ),
    ProPipeLinesViewSet: Dialect(
        name="propipelines",
        headers=lambda raw: {"X-API-KEY": raw},
        identify=lambda row: str(row.pk),
        missing="987654321",
        refused=401,
        parents={"lead_id": "lead", "spreadsheet_id": "prospecting_list"},
        made={
            "Endpoint": {"dialect": "propipelines", "events": ["lead.creation"]},
            "Delivery": {"endpoint__dialect": "propipelines", "endpoint__events": ["lead.creation"]},
        },
        queries={"rows/called_from": "phone_number=2223334444"},
    ),
    SendPilotViewSet: Dialect(
        name="sendpilot",
        headers=lambda raw: {"X-API-Key": raw},
        identify=id_of,
        missing=f"camp_{UUID(int=7).hex}",
        suspended=403,
    ),
    PgaiViewSet: Dialect(
        name="pgai",
        headers=lambda raw: {"x-api-key": raw},
        identify=lambda row: str(row.uid),
        missing=str(UUID(int=7)),
    ),
}


def dialect_of(view: type[DialectViewSet]) -> Dialect:
    for base, dialect in DIALECTS.items():
        if issubclass(view, base):
            return dialect
    raise LookupError(f"{view.__name__} belongs to no dialect in tests/api/dialects.py: add one")
