"""The frame of every resource here: whose request it is, its limit, its pages, its body."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from rest_framework import exceptions
from rest_framework.response import Response

from pipelime.accounts.models import Account
from pipelime.api import limits
from pipelime.api.bodies import JSONParser
from pipelime.api.callers import Caller, KeyInHeader
from pipelime.api.http import DialectViewSet
from pipelime.api.pgai.authentication import KeyHeader, KeyInAddress
from pipelime.api.pgai.errors import explain
from pipelime.api.totals import total_of
from pipelime.errors import Invalid, NotFound

PAGE_SIZE, LARGEST_PAGE = 25, 100


class PgaiViewSet(DialectViewSet):
    """A view of this dialect. `subject` names its scopes."""

    authentication_classes = [KeyHeader, KeyInHeader, KeyInAddress]
    parser_classes = [JSONParser]
    schema = None

    def explain(self, error: exceptions.APIException) -> Response:
        return explain(error, scope=self.needed_scopes()[0])

    def quota(self, caller: Caller) -> limits.Quota | None:
        most = caller.account.settings.get("requests_per_minute", settings.NATIVE_REQUESTS_PER_MINUTE)
        return limits.spend(f"pgai:{caller.credential}", limit=most, seconds=60)

    def quota_headers(self, quota: limits.Quota) -> dict[str, str]:
        return quota.headers

    @property
    def account(self) -> Account:
        return self.caller.account

    def body(self) -> dict[str, Any]:
        if not isinstance(self.request.data, dict):
            raise exceptions.ParseError("The request body must be a JSON object")
        return self.request.data

    def page(self, rows: QuerySet) -> tuple[list[int], dict[str, int]]:
        """The ids on the page that was asked for, and the envelope's `pagination`.

        Ids alone are stepped over in an index, so that a page far behind costs little more than the first.
        """
        number = self.whole("page", 1)
        size = min(self.whole("limit", self.whole("per_page", PAGE_SIZE)), LARGEST_PAGE)
        start = (number - 1) * size
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[start : start + size])
        return ids, {"page": number, "limit": size, "total": total_of(rows)}

    def whole(self, name: str, default: int) -> int:
        text = self.request.query_params.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
            raise Invalid(f'Query parameter "{name}" must be a whole number of at least 1', field=name)
        return int(text)


class Health(PgaiViewSet):
    """Whether somebody answers; asked without a key."""

    is_public = True

    def show(self, request) -> Response:
        return Response({"status": "ok"})


class Unknown(PgaiViewSet):
    """What any path answers that nothing else does."""

    is_public = True

    def nothing(self, request, path: str = "") -> Response:
        raise NotFound(f"There is nothing at {request.path}")
