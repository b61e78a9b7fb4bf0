"""How drf-spectacular reads our views: their bodies, pages, errors and the key in the header."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

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

    def get_request_serializer(self) -> Any:
        if self.method not in ("POST", "PUT", "PATCH"):
            return None
        kind = self.view.inputs.get(self.view.action, self.view.input_class)
        return kind(partial=self.method == "PATCH") if kind._declared_fields else None  # noqa: SLF001

    def get_response_serializers(self) -> Any:
        return None if self.method == "DELETE" else self.view.serializer_class

    def get_override_parameters(self) -> list[OpenApiParameter]:
        view, found = self.view, []
        if self._is_list_view() and hasattr(view, "orders"):
            found += [OpenApiParameter(name, schema, description=text) for name, (schema, text) in LIST_PARAMETERS.items()]
            names = [sign + name for name in view.orders for sign in ("", "-")]
            found.append(OpenApiParameter("order", {"type": "string", "enum": names, "default": view.default_order}))
            if view.search_kind:
                found.append(OpenApiParameter("search", str, description="Words, or their beginnings."))
        if self.method == "POST":
            text = "Repeating a request with the same key within 24 hours answers as the first time did."
            found.append(OpenApiParameter("Idempotency-Key", str, "header", description=text))
        return found
