"""Bodies as this vendor's clients send them: JSON or form pairs, whatever the Content-Type says; files."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from rest_framework import exceptions
from rest_framework.parsers import BaseParser

from pipelime.api.bodies import TooLarge, UploadParser, announced, load


class AnyBody(BaseParser):
    """JSON first. The document's own examples announce JSON and send `title=…&tags[]=…`: read, too."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if announced(parser_context) > limit or len(raw := stream.read(limit + 1)) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes")
        text = raw.lstrip()
        if not text or text[:1] in b'{["' or b"=" not in text:
            return load(raw)
        return form_pairs(raw)


class MixedUpload(UploadParser):
    """multipart/mixed, as some clients call what is form data in all but name."""

    media_type = "multipart/mixed"

    def parse(self, stream, media_type=None, parser_context=None):
        context = dict(parser_context or {})
        given = context["request"].META.get("CONTENT_TYPE", "")
        named = given.replace("multipart/mixed", "multipart/form-data", 1)
        context["request"].META["CONTENT_TYPE"] = named
        return super().parse(stream, named, context)


def form_pairs(raw: bytes) -> dict[str, Any]:
    """`a=1&tags[]=x&tags[]=y` as {"a": "1", "tags": ["x", "y"]}."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=2000)
    except ValueError as error:
        raise exceptions.ParseError(f"The body is neither JSON nor form data: {error}") from None
    single: dict[str, Any] = {}
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            lists.setdefault(name[:-2], []).append(value)
        else:
            single[name] = value
    return single | lists
