"""A key in X-API-Key."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from pipelime.api.callers import Caller, caller_with_key


class KeyHeader(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        raw = request.META.get("HTTP_X_API_KEY", "").strip()
        return (None, caller_with_key(raw)) if raw else None

    def authenticate_header(self, request: Request) -> str:
        return "X-API-Key"
