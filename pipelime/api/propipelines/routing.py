"""Routes as the document writes them: `at("leads/{id}/assign", LeadViewSet, post="assign")`."""

from __future__ import annotations

import re

from django.urls import URLPattern, re_path


def at(route: str, view: type, **methods: str) -> URLPattern:
    """A path with {names}; a trailing slash is accepted and needed nowhere."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(route))
    return re_path(rf"^{pattern}/?$", view.as_view(methods))  # type: ignore[attr-defined]
