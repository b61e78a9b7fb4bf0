"""Make, look up, limit and revoke what programs show: API keys and user tokens."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.utils import timezone

from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account, ApiKey, User, UserToken
from pipelime.errors import Invalid
from pipelime.events.recording import record
from pipelime.prepared import Prepared
from pipelime.scope import account_scope, every_account

PREFIX = "ki_"
LOOKUP = 8
# PostgreSQL does not even look for a text with a NUL in it, and half a character has no digest.
KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{37,77}}")
SUBJECTS = (
    "contacts", "companies", "leads", "pipelines", "campaigns", "email-accounts", "blocklist", "webhooks",
    "api-keys", "users", "imports", "exports", "events", "activity", "dashboard", "messages", "fields",
    "account", "prospecting-lists", "teams", "follow-ups", "email-templates", "linkedin-accounts",
    "inbox", "senders", "conversations",
)  # fmt: skip
SCOPES = {"*", *(f"{subject}:{right}" for subject in SUBJECTS for right in ("read", "write", "*"))}
USED_EVERY = timedelta(minutes=1)


def digest(raw: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(raw.encode()).hexdigest()


def allows(scopes: list[str], needed: str) -> bool:
    """Whether granted scopes cover `subject:right`; writing does not imply reading."""
    subject = needed.partition(":")[0]
    return "*" in scopes or needed in scopes or f"{subject}:*" in scopes


@transaction.atomic
def create_key(account: Account, *, name: str, scopes: list[str], by, expires_at=None) -> tuple[ApiKey, str]:
    """A new key and its raw text, which is shown now and never again."""
    if not name.strip():
        raise Invalid("A key needs a name, so that people know what to revoke", field="name")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise Invalid(
            f"{unknown[0]!r} is no scope; use '*', or a subject with :read or :write such as 'contacts:read'",
            field="scopes",
        )
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("expires_at lies in the past", field="expires_at")
    lookup = secrets.token_hex(LOOKUP // 2)
    raw = f"{PREFIX}{lookup}{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        account=account,
        name=name.strip(),
        scopes=scopes or ["*"],
        lookup=lookup,
        digest=digest(raw),
        expires_at=expires_at,
        created_by=person_acting(by, account.pk),
    )
    record("api_key.created", key, by=by)
    return key, raw


def find_key(raw: str) -> ApiKey | None:
    """The key whose text this is, disabled and expired ones too: callers say which it was."""
    if KEY.fullmatch(raw) is None:
        return None
    lookup = raw[len(PREFIX) : len(PREFIX) + LOOKUP]
    key = key_at(lookup)
    if key is None or not hmac.compare_digest(key.digest, digest(raw)):
        return None
    return key


def key_at(lookup: str) -> ApiKey | None:
    """The key and its account, whoever's they are. Every API request begins here, so the SQL is made once."""
    found = key_columns().rows([lookup])
    if not found:
        return None
    _, *values = found[0]
    own = len(ApiKey._meta.concrete_fields)
    key = stored(ApiKey, values[:own])
    key.account = stored(Account, values[own:])
    return key


@cache
def key_columns() -> Prepared:
    columns = [field.attname for field in ApiKey._meta.concrete_fields]
    columns += [f"account__{field.attname}" for field in Account._meta.concrete_fields]
    return Prepared(ApiKey, "lookup", columns, typed=range(len(columns)))


def stored(model: type[models.Model], values: Sequence[Any]) -> Any:
    """An instance as if it had been queried."""
    return model.from_db(DEFAULT_DB_ALIAS, [field.attname for field in model._meta.concrete_fields], values)


def note_use(credential: ApiKey | UserToken) -> None:
    """Remember the last use, written at most once a minute."""
    now = timezone.now()
    if credential.last_used_at is None or now - credential.last_used_at > USED_EVERY:
        type(credential).objects.filter(pk=credential.pk).update(last_used_at=now)


@transaction.atomic
def disable_key(key: ApiKey, *, by) -> None:
    if key.disabled_at is None:
        key.disabled_at = timezone.now()
        key.save(update_fields=["disabled_at"])
        record("api_key.disabled", key, by=by)


@transaction.atomic
def enable_key(key: ApiKey, *, by) -> None:
    if key.disabled_at is not None:
        key.disabled_at = None
        key.save(update_fields=["disabled_at"])
        record("api_key.enabled", key, by=by)


@transaction.atomic
def revoke_key(key: ApiKey, *, by) -> None:
    """Delete the key: the next request with it is refused."""
    record("api_key.revoked", key, by=by)
    key.delete()


@transaction.atomic
def issue_token(user: User) -> tuple[UserToken, str]:
    """A token for one user's device, and its raw text."""
    raw = secrets.token_urlsafe(32)
    token = UserToken.objects.create(
        account_id=user.account_id,
        user=user,
        lookup=digest(raw)[:16],
        digest=digest(raw),
        expires_at=timezone.now() + UserToken.LIFE,
    )
    return token, raw


def find_token(raw: str) -> UserToken | None:
    """The live token whose text this is, of a user who may still work."""
    hashed = digest(raw)
    with every_account():
        token = UserToken.objects.select_related("user", "account").filter(lookup=hashed[:16]).first()
    if token is None or not hmac.compare_digest(token.digest, hashed) or token.has_expired:
        return None
    return token if token.user.is_active else None


def end_token(raw: str) -> bool:
    """Log one device out. False: there was no such login, or it is over already."""
    token = find_token(raw)
    if token is None:
        return False
    with account_scope(token.account_id):
        return UserToken.objects.filter(pk=token.pk).delete()[0] > 0
