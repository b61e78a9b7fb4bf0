"""Who is asking: a program with an API key, or a person with a session."""

from __future__ import annotations

from dataclasses import dataclass

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.request import Request

from pipelime.accounts.keys import allows, find_key
from pipelime.accounts.models import Account, ApiKey, User


@dataclass(frozen=True, slots=True)
class Caller:
    """What every dialect's authentication finds out. A key without a user acts for the whole account."""

    account: Account
    user: User | None = None
    key: ApiKey | None = None
    scopes: tuple[str, ...] = ("*",)

    @property
    def by(self) -> User | ApiKey | None:
        """Whom verbs and history name."""
        return self.user or self.key

    @property
    def credential(self) -> str:
        """What limits and repeated requests are counted under."""
        return f"key:{self.key.pk}" if self.key else f"user:{self.user.pk if self.user else 0}"

    @property
    def is_admin(self) -> bool:
        return self.user is None or self.user.is_admin

    def may(self, scope: str) -> bool:
        return allows(list(self.scopes), scope)


def caller_with_key(raw: str) -> Caller:
    """The caller whose API key this is, or a refusal that says what is wrong with it."""
    key = find_key(raw)
    if key is None:
        raise exceptions.AuthenticationFailed("This API key is unknown or was revoked")
    if key.disabled_at is not None:
        raise exceptions.AuthenticationFailed(f"The API key {key.prefix}… is disabled", code="key_disabled")
    if key.has_expired:
        raise exceptions.AuthenticationFailed(
            f"The API key {key.prefix}… expired at {key.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        )
    return Caller(account=key.account, key=key, scopes=tuple(key.scopes))


class KeyInHeader(BaseAuthentication):
    """`Authorization: Bearer ki_…`."""

    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        scheme, _, raw = header.partition(" ")
        if scheme.lower() != "bearer" or not raw.strip():
            raise exceptions.AuthenticationFailed(
                "Authorization must read 'Bearer ki_…', with the whole key after one blank"
            )
        return None, caller_with_key(raw.strip())

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class Session(BaseAuthentication):
    """A person logged in with the browser. Their writes need the CSRF token, as a page of ours sends it."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        user = getattr(request._request, "user", None)  # noqa: SLF001  the middleware's answer, not DRF's
        if user is None or not user.is_authenticated:
            return None
        if user.account_id is None:
            raise exceptions.PermissionDenied("Operators have no account of their own; use an API key of one")
        refuse_without_csrf_token(request)
        return user, Caller(account=user.account, user=user)


def refuse_without_csrf_token(request: Request) -> None:
    check = CSRFCheck(lambda _: None)  # type: ignore[arg-type]
    check.process_request(request._request)  # noqa: SLF001
    if reason := check.process_view(request._request, None, (), {}):  # noqa: SLF001
        raise exceptions.PermissionDenied(
            f"{str(reason).rstrip('.')}. Send the csrftoken cookie's value as X-CSRFToken, or use an API key"
        )
