"""The frame of every resource here: whose request it is, its limit, its pages, its body."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet
from rest_framework import exceptions
from rest_framework.response import Response

from pipelime.accounts.models import Account
from pipelime.api import limits
from pipelime.api.bodies import JSONParser
from pipelime.api.callers import Caller
from pipelime.api.http import DialectViewSet
from pipelime.api.sendpilot.authentication import KeyHeader
from pipelime.api.sendpilot.errors import explain
from pipelime.api.sendpilot.ids import uid_in
from pipelime.api.totals import total_of
from pipelime.errors import Invalid, NotFound

LARGEST_PAGE = 100


class SendPilotViewSet(DialectViewSet):
    """A view of this dialect. `subject` names its scopes, `what` its rows in errors."""

    authentication_classes = [KeyHeader]
    parser_classes = [JSONParser]
    schema = None
    what = "Resource"

    def explain(self, error: exceptions.APIException) -> Response:
        return explain(error)

    def quota(self, caller: Caller) -> limits.Quota | None:
        """The vendor publishes none, and so no headers; ours keeps one client from starving others."""
        most = caller.account.settings.get("requests_per_minute", settings.NATIVE_REQUESTS_PER_MINUTE)
        return limits.spend(f"sendpilot:{caller.credential}", limit=most, seconds=60)

    @property
    def account(self) -> Account:
        return self.caller.account

    @property
    def by(self):
        return self.caller.by

    def body(self) -> dict[str, Any]:
        if not isinstance(self.request.data, dict):
            raise exceptions.ParseError("The request body must be a JSON object")
        return self.request.data

    def row(self, rows: QuerySet, text: Any, *, what: str = "") -> Any:
        """The row that an id names, or 404 in the vendor's words."""
        kind: type[Model] = rows.model
        uid = uid_in(kind, text)
        found = rows.filter(uid=uid).first() if uid else None
        if found is None:
            raise NotFound(f"{what or self.what} not found")
        return found

    def numbered_page(self, rows: QuerySet, *, usual: int) -> tuple[list[int], dict[str, int]]:
        """The ids on the page that was asked for, newest first, and what the envelope says of the pages."""
        page, limit = self.whole("page", 1), self.limit(usual)
        start, total = (page - 1) * limit, total_of(rows)
        ids = list(rows.order_by("-pk").values_list("pk", flat=True)[start : start + limit])
        return ids, {"total": total, "page": page, "limit": limit, "totalPages": -(-total // limit)}

    def limit(self, usual: int) -> int:
        limit = self.whole("limit", usual)
        if limit > LARGEST_PAGE:
            raise Invalid(f"limit must not be greater than {LARGEST_PAGE}", field="limit")
        return limit

    def whole(self, name: str, default: int) -> int:
        text = self.request.query_params.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
            raise Invalid(f"{name} must be a whole number of at least 1", field=name)
        return int(text)


def text_in(given: dict[str, Any], name: str, *, most: int) -> str:
    """A text that must be there."""
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"{name} is required and must be a string", field=name)
    if len(value) > most:
        raise Invalid(f"{name} must be shorter than or equal to {most} characters", field=name)
    return value


class Unknown(SendPilotViewSet):
    """What any path of its own mount answers that nothing else does."""

    is_public = True

    def nothing(self, request, path: str = "") -> Response:
        raise NotFound(f"Cannot {request.method} {request.path}")
