"""Opens the scope of whoever is logged in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from pipelime.scope import account_scope


class AccountScopeMiddleware:
    """Opens the scope of the person's account, in their time zone. Without one, scoped rows stay shut."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        account_id = account_chosen(request)
        if account_id is None:
            return self.get_response(request)
        zone = getattr(request.user, "time_zone", "") or "UTC"
        with account_scope(account_id), timezone.override(zone):
            return self.get_response(request)


def account_chosen(request: HttpRequest) -> int | None:
    """The person's own account; for an operator, the one chosen in this session."""
    if not request.user.is_authenticated:
        return None
    return request.user.account_id or request.session.get("operator_account")
