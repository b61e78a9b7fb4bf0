"""Who acts: verbs are told `by` a User, an ApiKey or None."""

from __future__ import annotations

from typing import Any

from pipelime.accounts.models import User


def person_acting(by: Any, account_id: int) -> User | None:
    """A colleague, if one acts: what programs, operators and the machine make was made by nobody."""
    return by if isinstance(by, User) and by.account_id == account_id else None
