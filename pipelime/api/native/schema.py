"""How drf-spectacular reads our views: their bodies, pages, errors and the key in the header."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.conf import settings
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from pipelime.accounts.models import Account
from pipelime.api.callers import Caller

ERRORS = {
    "401": "The key is missing, unknown, disabled or expired",
    "403": "The key lacks the scope, the person lacks the right, or the account is suspended",
    "404": "There is no such row in this account",
    "409": "It clashes with what is stored; details.existing_id names that row",
    "422": "The body or a parameter is wrong; details names each field",
    "429": "Too many requests; Retry-After says when to go on",
}
LIST_PARAMETERS = {
    "limit": ({"type": "integer", "minimum": 1, "maximum": 100, "default": 25}, "Rows a page."),
    "cursor": ({"type": "string"}, "Where to go on: the last answer's pagination.next_cursor."),
    "page": ({"type": "integer", "minimum": 1}, "A page by its number, for short lists."),
    "include": ({"type": "string", "enum": ["total"]}, "`total` counts all matching rows."),
}
IDEMPOTENCY_KEY = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
PAGINATION = {
    "type": "object",
    "required": ["limit", "next_cursor", "has_more"],
    "properties": {
        "limit": {"type": "integer"},
        "next_cursor": {"type": ["string", "null"]},
        "has_more": {"type": "boolean"},
        "page": {"type": "integer", "description": "When asked for by page."},
        "total": {"type": "integer", "description": "With include=total."},
    },
}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "examples": ["VALIDATION_ERROR"]},
                "message": {"type": "string"},
                "details": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
            },
        }
    },
}


class NativeSchema(AutoSchema):
    """Reads `input_class`, `inputs`, `orders` and `search_kind` of a native view."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict | None:
        self.view.caller = Caller(
            account=Account()
        )  # views ask who calls before they say which rows they show
        return super().get_operation(*args, **kwargs)

    def get_request_serializer(self) -> Any:
        if self.method not in ("POST", "PUT", "PATCH"):
            return None
        kind = self.view.inputs.get(self.view.action, self.view.input_class)
        return kind(partial=self.method == "PATCH") if kind._declared_fields else None  # noqa: SLF001

    def get_response_serializers(self) -> Any:
        return None if self.method == "DELETE" else self.view.serializer_class

    def get_override_parameters(self) -> list[OpenApiParameter]:
        view, found = self.view, []
        if self._is_list_view():
            known = view.known_parameters()
            for name, (schema, text) in LIST_PARAMETERS.items():
                if name in known:
                    found.append(OpenApiParameter(name, schema, description=text))
        if view.action == "list" and "order" in view.known_parameters():
            names = [sign + name for name in view.orders for sign in ("", "-")]
            found.append(
                OpenApiParameter("order", {"type": "string", "enum": names, "default": view.default_order})
            )
        if view.action == "list" and getattr(view, "search_kind", ""):
            found.append(OpenApiParameter("search", str, description="Words, or their beginnings."))
        if self.method == "POST":
            text = "Repeating a request with the same key within 24 hours answers as the first time did."
            found.append(OpenApiParameter("Idempotency-Key", IDEMPOTENCY_KEY, "header", description=text))
        return found

    def get_tags(self) -> list[str]:
        return [self._tokenize_path()[0]]

    def get_filter_backends(self) -> list[Any]:
        return [DjangoFilterBackend] if self.view.action == "list" else []


def filters_of(filterset: type[FilterSet]) -> list[OpenApiParameter]:
    """The filters of a list that hangs below a row, which the generator does not look for."""
    return [
        OpenApiParameter(name, str, description=one.extra.get("label") or "")
        for name, one in filterset.base_filters.items()
    ]


def refusals(path: str, method: str) -> dict[str, Any]:
    """The error answers of one operation, by status."""
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    skipped = {"404"} if "{" not in path else set()
    if method == "get":
        skipped.add("409")
    return {
        code: {"description": text, "content": body} for code, text in ERRORS.items() if code not in skipped
    }


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "pipelime.api.callers.KeyInHeader"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key: ki_…"}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "pipelime.api.callers.Session"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The browser's session; writes need the X-CSRFToken header.",
        }


class ComputedSchema(OpenApiSerializerFieldExtension):
    target_class = "pipelime.api.native.shapes.Computed"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict:
        kind = copy(self.target.kind)
        kind.allow_null = False  # the generator adds null itself, because the computed field allows it
        return auto_schema._map_serializer_field(kind, direction)  # noqa: SLF001


class RowSchema(OpenApiSerializerFieldExtension):
    target_class = "pipelime.api.native.inputs.RowField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict:
        return {"type": "string", "format": "uuid", "description": f"The id of a {self.target.what}."}


class ObjectSchema(OpenApiSerializerFieldExtension):
    target_class = "pipelime.api.native.inputs.ObjectField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict:
        return {"type": "object", "additionalProperties": True}


class CompanySchema(OpenApiSerializerFieldExtension):
    target_class = "pipelime.api.native.contacts.CompanyField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict:
        return {"type": "string", "description": "A company's id, or a name that is found or made."}
