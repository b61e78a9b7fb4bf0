"""Operators look after the whole installation; opening somebody's account leaves a trace in its history."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.utils import timezone

from pipelime.accounts.models import Account, User
from pipelime.accounts.people import end_sessions, set_password
from pipelime.changing import checked
from pipelime.errors import Invalid, NotAllowed
from pipelime.events.recording import record
from pipelime.scope import account_scope, every_account

log = structlog.get_logger(__name__)


def open_as_operator(account: Account, *, by: User) -> Account:
    """Note who opens the account before anything of it is shown."""
    if by.account_id is not None or not by.is_superuser or not by.is_active:
        raise NotAllowed("Only an operator opens the account of others")
    with account_scope(account), transaction.atomic():
        record("account.opened_by_operator", account, by=by)
    log.info("operator.opened_account", operator=by.email, account=account.slug)
    return account


@transaction.atomic
def make_operator(*, email: str, password: str) -> User:
    """A person without an account who runs the installation. Asked again, it sets a new password."""
    values = checked(User, {"email": User.normalise(email)})
    with every_account():
        user = User.objects.filter(email=values["email"]).first() or User(**values)
        if user.account_id is not None:
            raise Invalid(
                f"{user.email} works in an account; give the operator another address", field="email"
            )
        user.is_superuser = True
        user.activated_at = user.activated_at or timezone.now()
        set_password(user, password)
        user.save()
        end_sessions(user)
        user.save(update_fields=["session_epoch"])
    return user
