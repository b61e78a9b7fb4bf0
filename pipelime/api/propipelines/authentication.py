"""X-API-KEY acts for the whole account, X-USER-TOKEN for one person with that person's rights."""

from __future__ import annotations

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from pipelime.accounts.keys import find_token
from pipelime.api.callers import Caller, caller_with_key


class ApiKey(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        raw = request.META.get("HTTP_X_API_KEY", "").strip()
        return (None, caller_with_key(raw)) if raw else None

    def authenticate_header(self, request: Request) -> str:
        return "X-API-KEY"


class UserToken(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        raw = request.META.get("HTTP_X_USER_TOKEN", "").strip()
        if not raw:
            return None
        token = find_token(raw)
        if token is None:
            raise exceptions.AuthenticationFailed("This USER token is unknown, expired or logged out")
        return None, Caller(account=token.account, user=token.user)

    def authenticate_header(self, request: Request) -> str:
        return "X-USER-TOKEN"
