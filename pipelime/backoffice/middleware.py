"""Opens the scope of whoever is logged in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from pipelime.accounts.models import Account
from pipelime.scope import account_scope

CHOSEN = "operator_account"  # the session's key for the account that an operator has opened


class AccountScopeMiddleware:
    """Opens the scope of the person's account, in their time zone. Without one, scoped rows stay shut."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        account = account_chosen(request)
        request.account = account
        if account is None:
            return self.get_response(request)
        zone = getattr(request.user, "time_zone", "") or account.time_zone
        with account_scope(account), timezone.override(zone):
            return self.get_response(request)


def account_chosen(request: HttpRequest) -> Account | None:
    """The person's own account; for an operator, the one chosen in this session."""
    if not request.user.is_authenticated:
        return None
    if request.user.account_id is not None:
        return request.user.account
    if not request.user.is_superuser or not (chosen := request.session.get(CHOSEN)):
        return None
    return Account.objects.filter(pk=chosen).first()
