"""An account's own settings, and its suspension."""

from __future__ import annotations

import math
from typing import Any

from django.db import transaction
from django.utils import timezone

from pipelime.accounts.models import Account
from pipelime.changing import assign, checked, only_known, reread
from pipelime.errors import Invalid
from pipelime.events.recording import record

MOST_MAILS = 10_000_000
CAPS = ("mails_a_day", "mails_per_domain_a_day")  # of all campaigns together; without one there is no cap
CHANGEABLE = ("name", "time_zone", "locale", "currency", "postal_address", "lead_visibility", "settings")


@transaction.atomic
def update_account(account: Account, *, by, **changes: Any) -> Account:
    """`settings` are laid over the stored ones; None takes one away."""
    only_known("an account", changes, CHANGEABLE)
    given = changes.pop("settings", None)
    values = checked(Account, changes)
    check_currency(values)
    reread(account)
    if given is not None:
        values["settings"] = merged_settings(account.settings, given)
    changed = assign(account, values)
    if changed:
        account.save(update_fields=[*changed, "updated_at"])
        record("account.updated", account, by=by, changes=changed)
    return account


@transaction.atomic
def suspend(account: Account, *, by, reason: str = "") -> Account:
    """Nothing is served and nothing is sent until `resume`."""
    if reread(account).suspended_at is None:
        account.suspended_at = timezone.now()
        account.save(update_fields=["suspended_at", "updated_at"])
        record("account.suspended", account, by=by, reason=reason[:500])
    return account


@transaction.atomic
def resume(account: Account, *, by) -> Account:
    if reread(account).suspended_at is not None:
        account.suspended_at = None
        account.save(update_fields=["suspended_at", "updated_at"])
        record("account.resumed", account, by=by)
    return account


def check_currency(values: dict[str, Any]) -> None:
    if "currency" not in values:
        return
    values["currency"] = code = values["currency"].upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise Invalid(f"currency: {code!r} is no code of three letters, such as EUR", field="currency")


def merged_settings(old: dict[str, Any], new: Any) -> dict[str, Any]:
    if not isinstance(new, dict) or any(not isinstance(key, str) for key in new):
        raise Invalid('settings is an object such as {"requests_per_minute": 600}', field="settings")
    for key, value in new.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise Invalid(f"settings: {key} is no finite number", field="settings")
        if key in CAPS and value is not None and not is_cap(value):
            raise Invalid(
                f"settings: {key} is {value!r}; use a whole number from 1 to {MOST_MAILS:,}, "
                "or null for no limit",
                field="settings",
            )
    return {key: value for key, value in {**old, **new}.items() if value is not None}


def is_cap(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_MAILS
