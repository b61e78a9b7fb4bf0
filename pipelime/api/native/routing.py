"""Routes of the native API: a trailing slash is accepted everywhere and needed nowhere."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """`router.add("contacts", ContactViewSet)` is a resource's one line in the map."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"

    def add(self, prefix: str, viewset: type) -> None:
        self.register(prefix, viewset, basename=f"native-{prefix.replace('/', '-')}")
