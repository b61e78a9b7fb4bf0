"""The frame of every resource here: whose request it is, its parameters, its bare lists, its row by id."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.http import QueryDict
from rest_framework import exceptions
from rest_framework.response import Response

from pipelime.accounts.models import Account, ApiKey, User
from pipelime.api import limits
from pipelime.api.bodies import UploadParser
from pipelime.api.callers import Caller
from pipelime.api.http import READS, DialectViewSet
from pipelime.api.propipelines.authentication import ApiKey as KeyInHeader
from pipelime.api.propipelines.authentication import UserToken as TokenInHeader
from pipelime.api.propipelines.bodies import AnyBody, MixedUpload
from pipelime.api.propipelines.errors import explain, key_needed, missing
from pipelime.errors import NotAllowed, NotFound

LARGEST_ID = 2**63 - 1


class ProPipeLinesViewSet(DialectViewSet):
    """A view of this dialect. `subject` names its scopes; actions are named as their routes say."""

    authentication_classes = [KeyInHeader, TokenInHeader]
    parser_classes = [UploadParser, MixedUpload, AnyBody]
    schema = None
    key_only: ClassVar[frozenset[str]] = frozenset()  # actions refused to USER tokens; "*" is all
    admin_only: ClassVar[frozenset[str]] = frozenset()  # actions for administrators; "*" is all
    writing: ClassVar[frozenset[str]] = frozenset()  # actions that change something although they are GETs
    action: str

    def explain(self, error: exceptions.APIException) -> Response:
        return explain(error)

    def quota(self, caller: Caller) -> limits.Quota | None:
        most = caller.account.settings.get("requests_per_day", settings.PROPIPELINES_REQUESTS_PER_DAY)
        return limits.spend_today(f"propipelines:{caller.account.pk}", limit=most, zone=caller.account.zone)

    def quota_headers(self, quota: limits.Quota) -> dict[str, str]:
        """Only a refusal says when to come again."""
        if not quota.exceeded:
            return {}
        return {"API-RETRY-AFTER": str(quota.retry_after), "API-LIMIT-RESET": str(quota.reset)}

    def needed_scopes(self) -> list[str]:
        reads = self.request.method in READS and self.action not in self.writing
        return [f"{self.subject}:{'read' if reads else 'write'}"]

    def check_rights(self, caller: Caller) -> None:
        if caller.user is not None and {self.action, "*"} & self.key_only:
            raise key_needed()
        super().check_rights(caller)
        if not caller.is_admin and {self.action, "*"} & self.admin_only:
            raise NotAllowed("Only administrators of the account may do this")

    @property
    def account(self) -> Account:
        return self.caller.account

    @cached_property
    def by(self) -> User | ApiKey | None:
        """A key acts as the account's first administrator who can still work."""
        return self.caller.user or User.objects.admins().order_by("pk").first() or self.caller.key

    @property
    def given(self) -> dict[str, Any]:
        """The parameters of the query string."""
        return self.request.query_params

    def body(self) -> dict[str, Any]:
        """The parameters of the body; an array or a text by itself is not one of ours."""
        data = self.request.data
        if not isinstance(data, dict):
            raise exceptions.ParseError('The body must be a JSON object such as {"title": "Acme"}')
        if isinstance(data, QueryDict):  # multipart: tags[] may come several times
            return {name.removesuffix("[]"): values_of(data, name) for name in data}
        return dict(data)

    def needed(self, name: str, source: dict[str, Any] | None = None) -> Any:
        """A parameter that must be there and say something."""
        value = (self.body() if source is None else source).get(name)
        if value is None or value == "":
            raise missing(name)
        return value

    def row(self, queryset: models.QuerySet | None = None, id: Any = None) -> Any:
        """The row that the path names; a foreign one looks missing."""
        number = as_id(self.kwargs["id"] if id is None else id)
        rows = self.get_queryset() if queryset is None else queryset
        found = rows.filter(pk=number).first() if number else None
        if found is None:
            raise NotFound("There is no such row")
        return found

    def deleted(self, row: models.Model, delete: Callable[..., None]) -> Response:
        number = row.pk  # a row that is gone for good forgets it
        delete(row, by=self.by)
        return Response({"id": number})


class Unknown(ProPipeLinesViewSet):
    """What any path of the vendor's answers that nothing else does."""

    is_public = True

    def nothing(self, request, path: str = "") -> Response:
        raise NotFound(f"There is nothing at {request.path}")


def values_of(data: QueryDict, name: str) -> Any:
    return data.getlist(name) if name.endswith("[]") else data[name]


def as_id(value: Any) -> int | None:
    """A row's number, from a path, a query or a body; None when it cannot be one."""
    if isinstance(value, bool) or not str(value).isascii() or not str(value).isdigit():
        return None
    number = int(value) if len(str(value)) < 20 else 0
    return number if 0 < number <= LARGEST_ID else None
