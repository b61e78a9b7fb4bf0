"""The addresses that an account's mail comes in by, and whose account an address means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from pipelime.accounts.models import Account, new_inbound_key
from pipelime.changing import reread
from pipelime.events.recording import record

INBOUND = re.compile(r"(?P<slug>[a-z0-9-]{1,63})\+(?P<key>[a-z0-9]{1,32})@(?P<domain>[^@\s]{1,253})")
MOST_LOOKED_AT = 100  # addresses of one mail


def inbound_address(account: Account) -> str:
    """Mail to it becomes leads of the account, or comments on them. Whoever knows it may write them."""
    return f"{account.slug}+{account.inbound_key}@{settings.INBOUND_DOMAIN}".lower()


def post_url(account: Account) -> str:
    """The same for programs that hand mail over by HTTP. A new inbound key ends it with the address."""
    return f"{settings.PIPELIME_URL}/inbound/{account.uid}/{signature(account)}"


def signature(account: Account) -> str:
    signed = f"{account.uid}:{account.inbound_key}"
    return salted_hmac("crm.receiving.post", signed, algorithm="sha256").hexdigest()


def account_at(uid: str, given: str) -> Account | None:
    """The account whose signed address this is."""
    try:
        account = Account.objects.filter(uid=UUID(uid)).first()
    except ValueError:
        return None
    return account if account is not None and constant_time_compare(signature(account), given) else None


@transaction.atomic
def renew_address(account: Account, *, by) -> Account:
    """Give the account a new address and end the old one, which too many know by now."""
    reread(account)
    account.inbound_key = new_inbound_key()
    account.save(update_fields=["inbound_key", "updated_at"])
    # History tells that it was changed; what it is stays between the account and whoever writes to it.
    record("account.updated", account, by=by, changes={"inbound_key": [None, None]})
    return account


def is_inbound(address: str) -> bool:
    found = INBOUND.fullmatch(address.strip().lower())
    return found is not None and found["domain"].rstrip(".") == settings.INBOUND_DOMAIN


def account_for(addresses: Iterable[str]) -> Account | None:
    """The account that the first known inbound address among `addresses` belongs to.

    The key decides; the part before the plus may be out of date, since accounts are renamed.
    """
    keys = [key_in(address) for address in list(addresses)[:MOST_LOOKED_AT] if is_inbound(address)]
    if not keys:
        return None
    known = {account.inbound_key: account for account in Account.objects.filter(inbound_key__in=keys)}
    return next((known[key] for key in keys if key in known), None)


def key_in(address: str) -> str:
    return address.strip().lower().partition("+")[2].partition("@")[0]
