"""Logging in as a person, logging out, and a key that revokes itself."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote

from django.contrib.auth import authenticate
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from pipelime.accounts.keys import end_token, issue_token, revoke_key
from pipelime.accounts.models import User
from pipelime.api.limits import LOGIN_WINDOW, login_allowed
from pipelime.api.propipelines.errors import Refused
from pipelime.api.propipelines.lead_facts import colleague
from pipelime.api.propipelines.resources import ProPipeLinesViewSet
from pipelime.backoffice.entering import client_address
from pipelime.errors import Suspended
from pipelime.scope import account_scope

WRONG = "Invalid login or password"
# The currencies whose symbols people write; the others go by their codes.
SYMBOLS = {
    "AUD": "$", "BRL": "R$", "CAD": "$", "CHF": "CHF", "CNY": "¥", "CZK": "Kč", "DKK": "kr", "EUR": "€",
    "GBP": "£", "HKD": "$", "HUF": "Ft", "ILS": "₪", "INR": "₹", "JPY": "¥", "KRW": "₩", "MXN": "$",
    "NOK": "kr", "NZD": "$", "PHP": "₱", "PLN": "zł", "RON": "lei", "SEK": "kr", "SGD": "$", "THB": "฿",
    "TRY": "₺", "UAH": "₴", "USD": "$", "VND": "₫", "ZAR": "R",
}  # fmt: skip


class LogAsViewSet(ProPipeLinesViewSet):
    """A program becomes one person. A token may do whatever that person may, so the key must, too."""

    key_only = frozenset({"*"})
    writing = frozenset({"log_as"})

    def needed_scopes(self) -> list[str]:
        return ["*"]

    def log_as(self, request) -> Response:
        return Response(login_shape(colleague(self.needed("user_id", self.given))))


class LoginViewSet(ProPipeLinesViewSet):
    """E-mail address and password, as Basic authentication sends them, for a USER token."""

    is_public = True

    def explain(self, error: exceptions.APIException) -> Response:
        answer = super().explain(error)
        if answer.status_code == 401:
            answer["WWW-Authenticate"] = 'Basic realm="api"'
        if answer.status_code == 429:
            answer["API-RETRY-AFTER"] = str(LOGIN_WINDOW)
        return answer

    def login(self, request) -> Response:
        user = holder(request, *credentials(request))
        if user.account.is_suspended:
            raise Suspended("This account is suspended")
        with account_scope(user.account):
            return Response(login_shape(user))


class LogoutViewSet(ProPipeLinesViewSet):
    """A token that is over already has nothing to end, and neither has a key."""

    is_public = True

    def logout(self, request) -> Response:
        raw = request.META.get("HTTP_X_USER_TOKEN", "").strip()
        if raw:
            return Response(status=200 if end_token(raw) else 304)
        if request.auth is None:
            raise exceptions.NotAuthenticated
        return Response(status=304)


class RevokeViewSet(ProPipeLinesViewSet):
    """Any key may end itself, whatever else it may do."""

    key_only = frozenset({"*"})

    def needed_scopes(self) -> list[str]:
        return []

    def revoke(self, request) -> Response:
        revoke_key(self.caller.key, by=self.caller.key)
        return Response()


def credentials(request: Request) -> tuple[str, str]:
    scheme, _, coded = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    try:
        decoded = base64.b64decode(coded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise wrong_login() from None
    email, colon, password = decoded.partition(":")
    if scheme.lower() != "basic" or not colon or "\x00" in decoded:
        raise wrong_login()
    return email if "@" in email else unquote(email), password


def holder(request: Request, email: str, password: str) -> Any:
    """Who these belong to. Operators have no account, so nothing to log in to."""
    if not login_allowed(client_address(request._request), email):  # noqa: SLF001
        raise exceptions.Throttled
    # The document tells people to escape what is special in a password, and few programs undo that.
    for tried in dict.fromkeys((password, unquote(password))):
        user = authenticate(request._request, username=email, password=tried)  # noqa: SLF001
        if isinstance(user, User) and user.account is not None:
            return user
    raise wrong_login()


def wrong_login() -> Refused:
    return Refused(401, WRONG, "invalid_login")


def login_shape(user: User) -> dict[str, Any]:
    """With a new token: each device has its own."""
    account = user.account
    assert account is not None, "an operator cannot log in here"
    return {
        "token": issue_token(user)[1],
        "slug": account.slug,
        "locale": user.locale,
        "time_zone": user.time_zone or account.time_zone,
        "user_id": user.pk,
        "user_email": user.email,
        "is_admin": user.is_admin,
        "currency": {"code": account.currency, "symbol": SYMBOLS.get(account.currency, account.currency)},
    }
