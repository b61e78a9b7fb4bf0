"""Whom an account never writes to: its own blocklist, and those who said no or cannot be reached."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.importing.values import clean_email, email_key
from crm.models import Contact, ContactEmail
from outreach import direct
from outreach.enrolments import LIVE, stop
from outreach.models import BlocklistEntry, Enrolment, Suppression
from pipelime import locks
from pipelime.accounts.models import Account
from pipelime.bulk import in_chunks
from pipelime.errors import Conflict, Invalid
from pipelime.events.recording import record, record_all

STATUS_OF = {
    Suppression.Cause.UNSUBSCRIBED: Contact.Status.UNSUBSCRIBED,
    Suppression.Cause.BOUNCED: Contact.Status.BOUNCED,
    Suppression.Cause.COMPLAINED: Contact.Status.BLOCKED,
}
EVENT_OF = {
    Suppression.Cause.UNSUBSCRIBED: "contact.unsubscribed",
    Suppression.Cause.BOUNCED: "contact.bounced",
    Suppression.Cause.COMPLAINED: "contact.complained",
}


@dataclass
class Blocked:
    """What a bulk upload did: `invalid` holds (line, value, why)."""

    added: int = 0
    known: int = 0
    invalid: list[tuple[int, str, str]] = field(default_factory=list)


def address_hashes(address: str) -> list[str]:
    """Keyed, so that a copy of the table tells nobody who is in it: the hash to store, then older keys'."""
    said = email_key(address).encode()
    keys = [*settings.PIPELIME_SUPPRESSION_KEY, settings.SECRET_KEY]
    return [hmac.digest(key.encode(), said, "sha256").hex() for key in keys]


@transaction.atomic
def suppress(account_id: int, address: str, *, cause: str, source: str) -> Suppression:
    """Never mail this address again, and stop what was under way to it."""
    hashes, is_new = address_hashes(address), False
    entry = Suppression.objects.filter(account_id=account_id, address_hash__in=hashes).first()
    if entry is None:
        entry, is_new = Suppression.objects.get_or_create(
            account_id=account_id,
            address_hash=hashes[0],
            defaults={"cause": cause, "source": without(address, source)[:250]},
        )
    if is_new:
        follow_cause(address, Suppression.Cause(cause), source)
    stop(Enrolment.objects.filter(address=address), reason=cause)
    direct.drop_to({email_key(address)}, reason=cause)
    return entry


def without(address: str, words: str) -> str:
    """What a server said names the address, and this row must not."""
    return re.sub(re.escape(address), "the address", words, flags=re.IGNORECASE)


def follow_cause(address: str, cause: Suppression.Cause, source: str) -> None:
    """The contact who has the address bears what it said, and gets nothing more at it in any spelling."""
    for email in ContactEmail.objects.filter(email_key=email_key(address)).select_related("contact"):
        contact = email.contact
        if contact.status == Contact.Status.ACTIVE:
            contact.status = STATUS_OF[cause]
            contact.touch("status")
        stop(Enrolment.objects.filter(contact=contact, address__iexact=email.address), reason=cause)
        if name := EVENT_OF.get(cause):
            record(name, contact, by=None, address=address, source=source)


def suppressed(addresses: Iterable[str]) -> dict[str, str]:
    """address -> cause, for those of the addresses that must not be mailed."""
    hashes = {hashed: address for address in addresses for hashed in address_hashes(address)}
    rows = Suppression.objects.filter(address_hash__among=hashes) if hashes else Suppression.objects.none()
    return {hashes[hashed]: cause for hashed, cause in rows.values_list("address_hash", "cause")}


def blocked(addresses: Iterable[str]) -> dict[str, str]:
    """address -> the blocklist's value that covers it."""
    keys = {address: email_key(address) for address in addresses}
    wanted = set(keys.values()) | {key.rpartition("@")[2] for key in keys.values()}
    rows = BlocklistEntry.objects.filter(value__among=wanted) if wanted else BlocklistEntry.objects.none()
    values = set(rows.values_list("value", flat=True))
    found = {}
    for address, key in keys.items():
        domain = key.rpartition("@")[2]
        if covering := (key if key in values else domain if domain in values else None):
            found[address] = covering
    return found


@transaction.atomic
def block(account: Account, *, by, value: str, reason: str = "") -> BlocklistEntry:
    """Put an address or a domain on the account's blocklist and stop what was under way to it."""
    kind, key = kind_of(value)
    locks.hold("blocklist", account.pk)  # of two who find nothing, the second looks again
    if known := BlocklistEntry.objects.filter(value=key).first():
        raise Conflict(f"{key} is on the blocklist already", existing=str(known.uid))
    entry = BlocklistEntry.objects.create(account=account, value=key, kind=kind, reason=reason.strip()[:500])
    stop_covered(entry)
    record("blocklist.added", entry, by=by)
    return entry


def block_many(account: Account, values: Iterable[str], *, by, reason: str = "") -> Blocked:
    """One value a line; each is judged by itself, and a thousand go in one transaction."""
    result = Blocked()
    for chunk in in_chunks(enumerate(values, 1), 1000):
        wanted = judged(chunk, result)
        with transaction.atomic():
            locks.hold("blocklist", account.pk)
            known = set(BlocklistEntry.objects.filter(value__in=wanted).values_list("value", flat=True))
            entries = [
                BlocklistEntry(account=account, value=key, kind=kind, reason=reason.strip()[:500])
                for key, kind in wanted.items()
                if key not in known
            ]
            BlocklistEntry.objects.bulk_create(entries)
            stop_all_covered(entries)
            record_all("blocklist.added", [(entry, {}) for entry in entries], by=by)
        result.known += len(known)
        result.added += len(entries)
    return result


def judged(lines: Iterable[tuple[int, str]], result: Blocked) -> dict[str, str]:
    """key -> kind of the values that are good; the others, and repetitions, are counted."""
    wanted: dict[str, str] = {}
    for line, value in lines:
        if not value.strip():
            continue
        try:
            kind, key = kind_of(value)
        except Invalid as error:
            result.invalid.append((line, value.strip()[:254], str(error)))
            continue
        result.known += key in wanted
        wanted[key] = kind
    return wanted


@transaction.atomic
def unblock(entry: BlocklistEntry, *, by) -> None:
    record("blocklist.removed", entry, by=by)
    entry.delete()


def kind_of(value: str) -> tuple[str, str]:
    """("email" | "domain", the key it is stored under), or Invalid."""
    text = value.strip().removeprefix("mailto:").removeprefix("@")
    try:
        if "@" in text:
            return BlocklistEntry.Kind.EMAIL, email_key(clean_email(text))
        return BlocklistEntry.Kind.DOMAIN, email_key(clean_email(f"someone@{text}")).rpartition("@")[2]
    except ValueError as error:
        raise Invalid(
            f"{value.strip()[:100]!r} is neither an address nor a domain; use name@example.com or example.com"
            f" ({error})",
            field="value",
        ) from None


def stop_covered(entry: BlocklistEntry) -> None:
    covered = (
        Q(address__iexact=entry.value)
        if entry.kind == BlocklistEntry.Kind.EMAIL
        else Q(address__iendswith=f"@{entry.value}")
    )
    if entry.kind == BlocklistEntry.Kind.EMAIL:
        Contact.objects.filter(emails__email_key=entry.value, status=Contact.Status.ACTIVE).update(
            status=Contact.Status.BLOCKED, updated_at=timezone.now()
        )
    stop(Enrolment.objects.filter(covered), reason="blocked")
    direct.drop_to({entry.value}, reason="blocked")


def stop_all_covered(entries: Sequence[BlocklistEntry]) -> None:
    """The same for many entries, reading whoever is being written to once."""
    if not entries:
        return
    values = {entry.value for entry in entries}
    emails = [entry.value for entry in entries if entry.kind == BlocklistEntry.Kind.EMAIL]
    Contact.objects.filter(emails__email_key__in=emails, status=Contact.Status.ACTIVE).update(
        status=Contact.Status.BLOCKED, updated_at=timezone.now()
    )
    live = Enrolment.objects.filter(state__in=LIVE).values_list("pk", "address")
    covered = [
        pk
        for pk, address in live
        if (key := email_key(address)) in values or key.rpartition("@")[2] in values
    ]
    for chunk in in_chunks(covered, 1000):
        stop(Enrolment.objects.filter(pk__in=chunk), reason="blocked")
    direct.drop_to(values, reason="blocked")
