"""The addresses of a contact: which are wanted, which is the primary one, and that nobody else has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crm.importing.values import clean_email, email_key
from crm.models import Contact, ContactEmail
from pipelime.bulk import take_ids
from pipelime.changing import conflict_when_taken
from pipelime.errors import Invalid

MOST = 50
LONGEST_LABEL = 50


@dataclass(frozen=True)
class Address:
    """An address as typed; `key` is what identifies it."""

    address: str
    key: str
    label: str = ""
    is_primary: bool = False

    def facts(self) -> dict:
        return {"address": self.address, "label": self.label, "is_primary": self.is_primary}


def read_address(value: Any, *, field: str) -> Address | None:
    """An address from a text or a mapping; None when it is blank."""
    given = {"address": value} if isinstance(value, str) or value is None else value
    if not isinstance(given, Mapping) or not isinstance(given.get("address") or "", str):
        raise Invalid(
            f'{field}: write addresses as {{"address": "a@example.com", "label": "work"}}', field=field
        )
    text = (given.get("address") or "").strip()
    if not text:
        return None
    label = str(given.get("label") or "").strip()
    if len(label) > LONGEST_LABEL or "\x00" in label:
        raise Invalid(f"{field}: the label of {text} has over {LONGEST_LABEL} characters", field=field)
    try:
        address = clean_email(text)
        return Address(address, email_key(address), label, bool(given.get("is_primary")))
    except ValueError as error:
        raise Invalid(f"{field}: {error}", field=field) from None


def read_addresses(values: Iterable[Any] | None) -> list[Address]:
    """A whole list, each address once, exactly one of them primary; the primary one comes first."""
    if isinstance(values, str | Mapping):
        raise Invalid('emails is a list such as [{"address": "a@example.com"}]', field="emails")
    read: dict[str, Address] = {}
    for value in values or ():
        if address := read_address(value, field="emails"):
            known = read.get(address.key)
            read[address.key] = (
                replace(known, is_primary=True) if known and address.is_primary else known or address
            )
    addresses = list(read.values())
    if len(addresses) > MOST:
        raise Invalid(
            f"{len(addresses)} addresses are too many; a contact has at most {MOST}", field="emails"
        )
    if len([address for address in addresses if address.is_primary]) > 1:
        raise Invalid("emails: only one address can be the primary one", field="emails")
    return with_primary(addresses)


def with_primary(addresses: list[Address], key: str | None = None) -> list[Address]:
    """The same addresses with one primary: the named one, else the one marked, else the first."""
    if not addresses:
        return []
    key = key or next((address.key for address in addresses if address.is_primary), addresses[0].key)
    marked = [replace(address, is_primary=address.key == key) for address in addresses]
    return sorted(marked, key=lambda address: not address.is_primary)


def wanted(present: list[Address], given: Mapping[str, Any]) -> list[Address]:
    """What the addresses shall be, given `email` (the primary one), `emails` (all of them) or both.

    `email` alone takes the place of the primary address and leaves the others; None removes it.
    """
    addresses = read_addresses(given["emails"]) if given.get("emails") is not None else present
    if "emails" in given and given["emails"] is None:
        addresses = []
    if "email" not in given:
        return addresses
    email = read_address(given["email"], field="email")
    replaces = "emails" not in given
    if email is None:
        return with_primary([address for address in addresses if not (replaces and address.is_primary)])
    if email.key in {address.key for address in addresses}:
        return with_primary([retyped(address, email) for address in addresses], email.key)
    label = next((address.label for address in addresses if address.is_primary), "") if replaces else ""
    others = [address for address in addresses if not (replaces and address.is_primary)]
    return with_primary([replace(email, label=label), *others], email.key)


def retyped(address: Address, email: Address) -> Address:
    """The known address in its newest spelling."""
    return replace(address, address=email.address) if address.key == email.key else address


def stored(contact: Contact) -> list[Address]:
    rows = contact.emails.order_by("-is_primary", "id")
    return [Address(row.address, row.email_key or "", row.label, row.is_primary) for row in rows]


def store(contact: Contact, before: list[Address], addresses: list[Address]) -> dict[str, list]:
    """Make the contact's rows these. Returns what changed, as history words it; {} when nothing did."""
    if set(before) == set(addresses):
        return {}
    keys = [address.key for address in addresses]
    with conflict_when_taken(
        "A contact with this e-mail address exists already", lambda: holder(keys, contact)
    ):
        rows = {row.email_key: row for row in contact.emails.all()} if before else {}
        gone = [row.pk for key, row in rows.items() if key not in keys]
        if gone:
            contact.emails.filter(pk__in=gone).delete()
        for address in addresses:
            if row := rows.get(address.key):
                row.address, row.label, row.is_primary = address.address, address.label, address.is_primary
                row.save()
        add(contact, [address for address in addresses if address.key not in rows])
    sides = before, addresses
    changes = {"emails": [[address.facts() for address in side] for side in sides]}
    primaries = [next((address.address for address in side if address.is_primary), None) for side in sides]
    return {"email": primaries, **changes} if primaries[0] != primaries[1] else changes


def add(contact: Contact, addresses: list[Address]) -> None:
    """Numbered in the order given, written in the order of keys: two writers who share addresses then
    queue up and do not deadlock."""
    ids = take_ids(ContactEmail, len(addresses)) if len(addresses) > 1 else [None]
    rows = [
        ContactEmail(
            id=row_id,
            account_id=contact.account_id,
            contact=contact,
            email_key=address.key,
            address=address.address,
            label=address.label,
            is_primary=address.is_primary,
        )
        for row_id, address in zip(ids, addresses, strict=False)
    ]
    ContactEmail.objects.bulk_create(sorted(rows, key=lambda row: row.email_key))


def holder(keys: Iterable[str], contact: Contact | None = None) -> Contact | None:
    """Whoever else has one of these addresses."""
    others = Contact.objects.filter(emails__email_key__in=list(keys))
    return others.exclude(pk=contact.pk).first() if contact is not None else others.first()
