"""Operators look after the whole installation; opening somebody's account leaves a trace in its history."""

from __future__ import annotations

import structlog
from django.db import transaction

from pipelime.accounts.models import Account, User
from pipelime.errors import NotAllowed
from pipelime.events.recording import record
from pipelime.scope import account_scope

log = structlog.get_logger(__name__)


def open_as_operator(account: Account, *, by: User) -> Account:
    """Note who opens the account before anything of it is shown."""
    if by.account_id is not None or not by.is_superuser or not by.is_active:
        raise NotAllowed("Only an operator opens the account of others")
    with account_scope(account), transaction.atomic():
        record("account.opened_by_operator", account, by=by)
    log.info("operator.opened_account", operator=by.email, account=account.slug)
    return account
