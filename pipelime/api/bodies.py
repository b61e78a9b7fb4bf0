"""JSON in and out, and uploads, with limits that hold before anything is parsed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

import orjson
from django.conf import settings
from rest_framework import exceptions
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.renderers import BaseRenderer

DEEPEST = 32
OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "payload_too_large"


def dump(data: Any) -> bytes:
    return orjson.dumps(data, default=plain, option=OPTIONS)


def plain(value: Any) -> Any:
    """What orjson does not know: exact decimals stay text, lazy texts become text."""
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if isinstance(value, Decimal) or hasattr(value, "__str__"):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8 by definition

    def render(self, data, accepted_media_type=None, renderer_context=None) -> bytes:
        return b"" if data is None else dump(data)


class JSONParser(BaseParser):
    """Strict JSON: no NaN, no doubled keys, no NUL, at most 32 levels."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if announced(parser_context) > limit or len(raw := stream.read(limit + 1)) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes")
        return load(raw)


def announced(parser_context: dict[str, Any] | None) -> int:
    """How long the body will be by its own word, so that what is too long need not be waited for."""
    if not parser_context or "request" not in parser_context:
        return 0
    return int(parser_context["request"].META.get("CONTENT_LENGTH") or 0)


def load(raw: bytes) -> Any:
    if not raw.strip():
        return {}
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise exceptions.ParseError(f"The body is no JSON: {error}") from None
    if levels(data, DEEPEST) > DEEPEST:
        raise exceptions.ParseError(f"The body is nested deeper than {DEEPEST} levels")
    if b"\\u0000" in raw and "\x00" in strings(data):
        raise exceptions.ParseError("The body holds a NUL character (\\u0000), which no text may")
    if len(raw) < 100_000:  # what people and programs write by hand; more is generated
        json.loads(raw, object_pairs_hook=refuse_doubled_keys)
    return data


def levels(value: Any, most: int) -> int:
    """How deep lists and objects are nested, looked at no further than just past `most`."""
    if most < 0 or not isinstance(value, dict | list):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max((levels(item, most - 1) for item in inner), default=0)


def strings(value: Any) -> str:
    """Every text in `value`, keys included, run together."""
    if isinstance(value, dict):
        return "".join(key + strings(item) for key, item in value.items())
    if isinstance(value, list):
        return "".join(map(strings, value))
    return value if isinstance(value, str) else ""


def refuse_doubled_keys(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            refuse_key(key)
        seen.add(key)


def refuse_key(key: str) -> NoReturn:
    raise exceptions.ValidationError({key: ["is given twice; which one counts would be a guess"]})


class UploadParser(MultiPartParser):
    """multipart/form-data, refused by its announced size before a byte is stored."""

    def parse(self, stream, media_type=None, parser_context=None):
        size = announced(parser_context)
        if size > settings.UPLOAD_LIMIT + 1024 * 1024:
            raise TooLarge(f"The upload has {size} bytes; at most {settings.UPLOAD_LIMIT} are taken")
        return super().parse(stream, media_type, parser_context)
