"""The OpenAPI document of the native API, made from its views."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import get_lib_doc_excludes

from pipelime.scope import every_account


@cache
def document() -> bytes:
    """The document as it is served and committed."""
    with every_account():  # serializers' choices are read without rows, but through scoped managers
        schema = SchemaGenerator().get_schema(request=None, public=True)
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(document(), content_type="application/json")


def only_native(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Hook: other dialects have their vendors' documents. Paths are shown without the optional slash."""
    from pipelime.api.native.resources import NativeViewSet  # settings name this module before apps are ready

    return [
        (path.rstrip("/"), regex, method, view)
        for path, regex, method, view in endpoints
        if issubclass(getattr(view, "cls", object), NativeViewSet) and not view.cls.is_public
    ]


def add_errors(result: dict, generator: SchemaGenerator, request: Any, public: bool) -> dict:
    """Hook: every operation may refuse, and always in the same shape."""
    from pipelime.api.native.schema import ERROR, refusals

    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            operation["responses"] |= refusals(path, method)
    return without_marks(result)


def without_marks(node: Any) -> Any:
    """The generator's own notes on enumerations, which a later step of its would read."""
    if isinstance(node, dict):
        return {key: without_marks(value) for key, value in node.items() if key != "x-spec-enum-id"}
    return [without_marks(item) for item in node] if isinstance(node, list) else node


def undocumented() -> list[type]:
    """Base classes whose docstrings speak to us and not to callers of the API."""
    from pipelime.api.http import DialectViewSet
    from pipelime.api.native.inputs import Input
    from pipelime.api.native.resources import NativeViewSet
    from pipelime.api.native.shapes import Shaped

    return [*get_lib_doc_excludes(), DialectViewSet, NativeViewSet, Input, Shaped]
