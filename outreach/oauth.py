"""OAuth 2 at Google and Microsoft: the authorization code with PKCE, and what the token endpoint answers."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone

from pipelime import outbound
from pipelime.errors import Invalid

PATIENCE = 10.0  # seconds for one answer of the token endpoint
LEAST_LIFE = 60  # seconds; what a provider says about its tokens' life is believed from here on
# What only the mailbox's owner can mend; whatever else is refused is the operator's or passes by itself.
REFUSALS = frozenset({"invalid_grant", "interaction_required", "consent_required", "login_required"})

Server = tuple[str, int, str]  # host, port, security


class GrantRefused(Exception):
    """The provider does not honour this code or refresh token, which will not pass by itself."""


class ProviderUnavailable(Exception):
    """The token endpoint is down, or does not answer as one does."""


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    label: str
    scopes: str
    smtp: Server
    imap: Server
    extra: tuple[tuple[str, str], ...] = ()

    def setting(self, key: str) -> str:
        return str(settings.MAIL_PROVIDERS[self.name][key])

    @property
    def is_set_up(self) -> bool:
        return bool(self.setting("client_id"))


GOOGLE = Provider(
    "google",
    "Google",
    "https://mail.google.com/ openid email",
    ("smtp.gmail.com", 587, "starttls"),
    ("imap.gmail.com", 993, "tls"),
    # Without these Google gives a refresh token the first time only.
    (("access_type", "offline"), ("prompt", "consent")),
)
MICROSOFT = Provider(
    "microsoft",
    "Microsoft",
    "https://outlook.office.com/SMTP.Send https://outlook.office.com/IMAP.AccessAsUser.All "
    "offline_access openid email profile",
    ("smtp.office365.com", 587, "starttls"),
    ("outlook.office365.com", 993, "tls"),
    (("prompt", "select_account"),),
)
PROVIDERS = {provider.name: provider for provider in (GOOGLE, MICROSOFT)}


@dataclass(frozen=True, slots=True)
class Tokens:
    """`refresh` is blank where the provider keeps the old one; `email` where it does not say."""

    access: str
    until: datetime
    refresh: str = ""
    email: str = ""


def provider_named(name: str) -> Provider:
    """One that this installation has a client at."""
    provider = PROVIDERS.get(name)
    if provider is None:
        raise Invalid(f"{name!r} is no provider; use {' or '.join(PROVIDERS)}", field="login")
    if not provider.is_set_up:
        variable = f"PIPELIME_{name.upper()}_CLIENT_ID"
        raise Invalid(
            f"{provider.label} mailboxes are not set up here: the operator sets {variable}", field="login"
        )
    return provider


def new_verifier() -> str:
    return secrets.token_urlsafe(48)


def authorization_url(provider: Provider, *, redirect_uri: str, state: str, verifier: str) -> str:
    """Where the mailbox's owner says yes; RFC 7636 ties the answer to `verifier`, which stays here."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "client_id": provider.setting("client_id"),
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": provider.scopes,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **dict(provider.extra),
    }
    return f"{provider.setting('auth_url')}?{urlencode(asked)}"


def redeem(provider: Provider, *, code: str, verifier: str, redirect_uri: str) -> Tokens:
    """What the code is worth, once; raises GrantRefused and ProviderUnavailable."""
    tokens = ask(
        provider,
        {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        },
    )
    if not tokens.refresh:
        raise GrantRefused(f"{provider.label} gave no refresh token; allow access for when you are not there")
    if not tokens.email:
        raise GrantRefused(f"{provider.label} did not say whose mailbox this is; let it tell the address")
    return tokens


def refresh(provider: Provider, refresh_token: str) -> Tokens:
    return ask(provider, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def ask(provider: Provider, grant: dict[str, str]) -> Tokens:
    client = {"client_id": provider.setting("client_id"), "client_secret": provider.setting("client_secret")}
    body = urlencode({**grant, **{name: value for name, value in client.items() if value}}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        answer = outbound.post(provider.setting("token_url"), body, headers, deadline=PATIENCE)
    except outbound.OutboundError as error:
        raise ProviderUnavailable(f"{provider.label}'s token endpoint: {error}") from None
    said = parsed(answer.body)
    if answer.status == 200 and isinstance(said.get("access_token"), str):
        return tokens_of(provider, said)
    words = words_of(said) or f"status {answer.status}"
    if answer.status in (400, 401, 403) and said.get("error") in REFUSALS:
        raise GrantRefused(f"{provider.label} said: {words}")
    raise ProviderUnavailable(f"{provider.label}'s token endpoint said: {words}")


def tokens_of(provider: Provider, said: dict[str, Any]) -> Tokens:
    try:
        life = max(LEAST_LIFE, int(said.get("expires_in", 3600)))
    except (TypeError, ValueError):
        life = 3600
    return Tokens(
        access=said["access_token"],
        until=timezone.now() + timedelta(seconds=min(life, 86_400)),
        refresh=text(said.get("refresh_token")),
        email=email_in(provider, text(said.get("id_token"))),
    )


def email_in(provider: Provider, id_token: str) -> str:
    """Its signature is not asked for: it came from the endpoint itself (OpenID Connect Core 3.1.3.7)."""
    try:
        payload = id_token.split(".")[1]
        claims = parsed(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return ""
    if claims.get("aud") != provider.setting("client_id"):
        return ""
    if provider is GOOGLE and claims.get("email_verified") is not True:
        return ""
    return text(claims.get("email")) or text(claims.get("preferred_username"))


def parsed(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def words_of(said: dict[str, Any]) -> str:
    """The provider's own sentence, on one line."""
    return " ".join((text(said.get("error_description")) or text(said.get("error"))).split())[:300]
