"""A key in x-api-key, as a Bearer, or in the address as ?api_key=; the first that is given counts."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from pipelime.api.callers import Caller, caller_with_key


class KeyHeader(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        raw = request.META.get("HTTP_X_API_KEY", "").strip()
        return (None, caller_with_key(raw)) if raw else None

    def authenticate_header(self, request: Request) -> str:
        return "x-api-key"


class KeyInAddress(BaseAuthentication):
    """For clients that cannot set headers. Logs blank this parameter."""

    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        raw = request.query_params.get("api_key", "").strip()
        return (None, caller_with_key(raw)) if raw else None
