"""A contact's status follows what its addresses said, also when the contact comes back later."""

from __future__ import annotations

from collections.abc import Sequence

from crm.models import Contact
from outreach.blocking import STATUS_OF, blocked, suppressed
from outreach.models import BlocklistEntry, Suppression
from pipelime.events.models import Event

HEARD = {"contact.created", "contact.updated"}


def follow_contacts(events: Sequence[Event]) -> None:
    """Called with each batch of new events: an address that said no before says so again by itself."""
    heard = [event for event in events if event.name in HEARD]
    if not heard or not anybody_barred({event.account_id for event in heard}):
        return
    for account_id in {event.account_id for event in heard}:
        follow([event for event in heard if event.account_id == account_id])


def anybody_barred(account_ids: set[int]) -> bool:
    return (
        Suppression.objects.filter(account__in=account_ids).exists()
        or BlocklistEntry.objects.filter(account__in=account_ids).exists()
    )


def follow(events: Sequence[Event]) -> None:
    addresses = {
        email["address"]: event.subject_id
        for event in events
        for email in event.data["object"].get("emails") or []
    }
    wanted = {
        addresses[address]: STATUS_OF[Suppression.Cause(cause)]
        for address, cause in suppressed(addresses).items()
    }
    wanted |= {addresses[address]: Contact.Status.BLOCKED for address in blocked(addresses)}
    for status in set(wanted.values()):
        ids = [pk for pk, one in wanted.items() if one == status]
        Contact.objects.filter(pk__in=ids, status=Contact.Status.ACTIVE).update(status=status)
