"""Credits. Nothing is metered here: large figures, so that clients which look before they act go on."""

from __future__ import annotations

from rest_framework.response import Response

from pipelime.api.sendpilot.resources import SendPilotViewSet

PLENTY = 1_000_000_000


class CreditsViewSet(SendPilotViewSet):
    """The same for everybody; any scope will do."""

    def needed_scopes(self) -> list[str]:
        return []

    def show(self, request) -> Response:
        return Response(
            {
                "globalCredits": {"balance": PLENTY, "used": 0, "remaining": PLENTY},
                "leadDatabase": {"quota": PLENTY, "used": 0, "remaining": PLENTY},
            }
        )
