"""Whether a credential is good."""

from __future__ import annotations

from rest_framework.response import Response

from pipelime.api.propipelines.resources import ProPipeLinesViewSet


class PingViewSet(ProPipeLinesViewSet):
    """Whether the key or the token is good; any scope will do."""

    def needed_scopes(self) -> list[str]:
        return []

    def ping(self, request) -> Response:
        return Response({"status": 200, "message": "Your API key is correct."})
