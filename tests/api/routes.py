"""Every route of every API, read from the URLconf."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

from pipelime.api.http import DialectViewSet
from tests.api.dialects import Dialect, dialect_of


@dataclass(frozen=True)
class Route:
    """One path with one method; `path` has {name} where something is named."""

    method: str
    path: str
    callback: Any

    @property
    def view(self) -> type[DialectViewSet]:
        return self.callback.cls

    @property
    def dialect(self) -> Dialect:
        return dialect_of(self.view)

    @property
    def writes(self) -> bool:
        """Whether it changes something; a few GETs of old APIs do."""
        action = self.callback.actions[self.method.lower()]
        return self.method != "GET" or action in getattr(self.view, "writing", ())

    @property
    def names_a_row(self) -> bool:
        return "{" in self.path

    @property
    def parents(self) -> list[str]:
        """Names in the path beside the row's own, where a row is named below another."""
        return [name for name in re.findall(r"\{(\w+)\}", self.path) if name in self.dialect.parents]

    def at(self, name: str, **parents: str) -> str:
        """The path to this row; what is named above it is called the same unless `parents` says otherwise."""
        path = re.sub(r"\{(\w+)\}", lambda found: parents.get(found[1], name), self.path)
        queries = self.dialect.queries.items()
        return next((f"{path}?{query}" for end, query in queries if path.endswith(end)), path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path, entry.callback
        else:
            yield from patterns(entry, path)


def all_routes() -> list[Route]:
    """Routes of views with a scope; public ones show no account's rows."""
    found = []
    for raw, callback in patterns(get_resolver()):
        view = getattr(callback, "cls", None)
        if view is None or not issubclass(view, DialectViewSet) or view.is_public:
            continue
        path = re.sub(r"<(\w+)>", r"{\1}", simplify_regex(raw)).rstrip("/")
        found += [Route(method.upper(), path, callback) for method in callback.actions if method != "head"]
    return found
