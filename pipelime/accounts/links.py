"""The links that are mailed: they activate a user or reset a password, once, and for a few days."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator

from pipelime.accounts.models import User
from pipelime.errors import Invalid
from pipelime.scope import every_account


class LinkTokens(PasswordResetTokenGenerator):
    """Signed with what using the link changes, so that each works once; `purpose` keeps the kinds apart."""

    def __init__(self, purpose: str):
        super().__init__()
        self.key_salt = f"pipelime.accounts.links.{purpose}"

    def _make_hash_value(self, user, timestamp) -> str:
        state = (user.session_epoch, user.activated_at, user.disabled_at)
        return super()._make_hash_value(user, timestamp) + "|".join(str(part) for part in state)


ACTIVATION = LinkTokens("activate")
RESET = LinkTokens("reset")


def activation_link(user: User) -> str:
    return f"{settings.PIPELIME_URL}/activate/{user.uid}/{ACTIVATION.make_token(user)}"


def reset_link(user: User) -> str:
    return f"{settings.PIPELIME_URL}/reset/{user.uid}/{RESET.make_token(user)}"


def holder(uid: UUID | str, token: str, tokens: LinkTokens) -> User:
    """The user whose link this is. Whatever is wrong with a link, the answer is the same."""
    with every_account():
        user = User.objects.select_related("account").filter(uid=as_uuid(uid)).first()
    if user is None or user.account is None or not user.is_active or not tokens.check_token(user, token):
        raise Invalid(
            "This link has been used, has expired or is incomplete; ask for a new one", field="token"
        )
    return user


def as_uuid(text: UUID | str) -> UUID | None:
    parse: Callable[[str], UUID] = UUID
    try:
        return text if isinstance(text, UUID) else parse(str(text))
    except ValueError:
        return None
