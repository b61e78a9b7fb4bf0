"""The people of an account: invited, activated, changed, disabled and enabled again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from pipelime.accounts import links
from pipelime.accounts.links import activation_link
from pipelime.accounts.models import Account, Notice, User, UserToken
from pipelime.accounts.notices import send_notice
from pipelime.changing import assign, checked, conflict_when_taken, only_known, reread
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record
from pipelime.scope import account_scope, every_account

__all__ = [
    "activate", "activation_link", "disable_user", "enable_user", "invite_user", "make_user",
    "request_password_reset", "reset_password", "send_activation", "update_user",
]  # fmt: skip

PROFILE = (
    "phone", "mobile_phone", "job_title", "im_type", "im", "locale", "time_zone", "default_reminder_duration",
    "sees_unassigned", "wants_assignment_mail",
)  # fmt: skip
CHANGEABLE = ("email", "first_name", "last_name", "is_admin", *PROFILE)
RESET_PAUSE = timedelta(minutes=2)
RESET_SUBJECT = "Set a new Pipelime password"


@transaction.atomic
def invite_user(account: Account, *, email: str, by, send_mail: bool = True, **profile: Any) -> User:
    """A user without a password, who sets one through the link in the mail."""
    user = make_user(account, email=email, **profile)
    record("user.invited", user, by=by)
    if send_mail:
        send_activation(user, by=by)
    return user


def make_user(account: Account, *, email: str, password: str | None = None, **profile: Any) -> User:
    """The row alone; with a password it is an active user. Must run inside a transaction."""
    only_known("a user", profile, CHANGEABLE)
    values = checked(User, {"email": normal(email), **profile})
    user = User(account=account, **values)
    if password is None:
        user.set_unusable_password()
    else:
        set_password(user, password)
        user.activated_at = timezone.now()
    with address_taken(user.email):
        user.save()
    return user


@transaction.atomic
def update_user(user: User, *, by, **changes: Any) -> User:
    """Another e-mail address ends the links that were mailed to the old one."""
    only_known("a user", changes, CHANGEABLE)
    if "email" in changes:
        changes["email"] = normal(changes["email"])
    values = checked(User, changes)
    reread(user)
    if user.is_admin and values.get("is_admin") is False:
        keep_an_admin(user, field="is_admin")
    changed = assign(user, values)
    if changed:
        with address_taken(user.email):
            user.save(update_fields=[*changed, "updated_at"])
        record("user.updated", user, by=by, changes=changed)
    return user


@transaction.atomic
def disable_user(user: User, *, by) -> User:
    """Ends every session, link and device of the user, for good: enabling does not bring them back."""
    reread(user)
    if not user.is_active:
        return user
    if user.is_admin:
        keep_an_admin(user, field=None)
    user.disabled_at = timezone.now()
    end_sessions(user)
    user.save(update_fields=["disabled_at", "session_epoch", "updated_at"])
    record("user.disabled", user, by=by)
    return user


@transaction.atomic
def enable_user(user: User, *, by) -> User:
    reread(user)
    if not user.is_active:
        user.disabled_at = None
        user.save(update_fields=["disabled_at", "updated_at"])
        record("user.enabled", user, by=by)
    return user


def activate(uid: UUID | str, token: str, password: str) -> User:
    """Answer an invitation: the user's own password, and the account is open to them."""
    user = links.holder(uid, token, links.ACTIVATION)
    with account_scope(user.account_id), transaction.atomic():
        reread(user)
        links.holder(uid, token, links.ACTIVATION)  # two clicks at once: the second waited here
        set_password(user, password)
        user.activated_at = timezone.now()
        user.save(update_fields=["password", "activated_at", "updated_at"])
        record("user.activated", user, by=user)
    return user


def request_password_reset(email: str) -> None:
    """Mail a link to whoever has this address. The caller learns nothing of whether anybody has."""
    with every_account():
        user = User.objects.select_related("account").filter(email=User.normalise(email)).first()
    if user is None or user.account is None or not user.is_active:
        return
    with account_scope(user.account_id), transaction.atomic():
        recent = Notice.objects.filter(to=user.email, due_at__gt=timezone.now() - RESET_PAUSE)
        if recent.filter(subject=RESET_SUBJECT).exists():
            return
        if user.activated_at is None and not user.has_usable_password():
            send_activation(user, by=None, subject=RESET_SUBJECT)
            return
        text = f"Somebody asked for a new password for {user.email}. If it was you, set it here:\n\n"
        text += f"{links.reset_link(user)}\n\nOtherwise nothing needs to be done.\n"
        send_notice(user.account, user.email, RESET_SUBJECT, text)


def reset_password(uid: UUID | str, token: str, password: str) -> User:
    """Set a new password, which logs the user out everywhere else."""
    user = links.holder(uid, token, links.RESET)
    with account_scope(user.account_id), transaction.atomic():
        reread(user)
        links.holder(uid, token, links.RESET)
        set_password(user, password)
        end_sessions(user)
        user.save(update_fields=["password", "session_epoch", "updated_at"])
        record("user.password_reset", user, by=user)
    return user


def send_activation(user: User, *, by, subject: str = "") -> Notice:
    """Mail the link again, too: the older links work as long as none has been used."""
    if not user.is_active:
        raise Invalid(f"{user.name} is disabled; enable this user before inviting again")
    account = user.account
    assert account is not None, "an operator has no account to be invited to"
    inviter = f"{by.actor[1]} invites you" if by is not None else "You are invited"
    text = f"{inviter} to work in {account.name} on Pipelime.\n\nChoose your password here:\n\n"
    text += f"{activation_link(user)}\n\nThe link works once, for three days.\n"
    return send_notice(account, user.email, subject or f"Your invitation to {account.name}", text)


def normal(email: Any) -> Any:
    """As addresses are stored. What is no text stays as it is, for the check of the column to refuse."""
    return User.normalise(email) if isinstance(email, str) else email


def set_password(user: User, password: str) -> None:
    try:
        if not isinstance(password, str):
            raise ValidationError("A password is a text")
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), fields={"password": error.messages}) from None
    user.set_password(password)


def end_sessions(user: User) -> None:
    user.session_epoch += 1
    UserToken.objects.filter(user=user).delete()


def keep_an_admin(user: User, *, field: str | None) -> None:
    """Refuse to take the account's last administrator away. The account row makes two callers take turns."""
    Account.objects.select_for_update().get(pk=user.account_id)
    if not User.objects.admins().filter(account=user.account_id).exclude(pk=user.pk).exists():
        message = f"{user.name} is the last active administrator; make somebody else one first"
        raise Invalid(message, field=field) if field else Conflict(message)


@contextmanager
def address_taken(email: str) -> Iterator[None]:
    """Addresses are unique over the installation; those of other accounts are nobody's business."""
    message = f"The address {email} cannot be used"
    try:
        with conflict_when_taken(message, lambda: User.objects.filter(email=email).first()):
            yield
    except Conflict as error:
        holder = User.objects.filter(email=email).first()
        if holder is None:
            raise
        state = "" if holder.is_active else ", who is disabled and can be enabled again"
        raise Conflict(
            f"{message}: it belongs to {holder.name}{state}", existing=error.existing, number=error.number
        ) from None
