"""What outreach does when a contact or the account changes: statuses, addresses, held and stopped places."""

from __future__ import annotations

from collections.abc import Sequence

from crm.models import Contact
from outreach import direct
from outreach.blocking import STATUS_OF, blocked, suppressed
from outreach.enrolling import needs_of
from outreach.enrolments import LIVE, locked_ids, release, replan, stop
from outreach.models import BlocklistEntry, EmailAccount, Enrolment, Message, Suppression
from pipelime.doorbell import ring
from pipelime.events.models import Event

HEARD = {"contact.created", "contact.updated"}


def follow_contacts(events: Sequence[Event]) -> None:
    """Called with each batch of new events, in the transaction that wrote them."""
    by_account: dict[int, list[Event]] = {}
    for event in events:
        by_account.setdefault(event.account_id, []).append(event)
    for account_id, own in by_account.items():
        names = {event.name for event in own}
        if names & HEARD and anybody_barred(account_id):
            bar([event for event in own if event.name in HEARD])
        if "contact.updated" in names:
            follow_updates([event for event in own if event.name == "contact.updated"])
        if "contact.deleted" in names:
            gone = [event.subject_id for event in own if event.name == "contact.deleted"]
            stop(Enrolment.objects.filter(contact__in=gone), reason="the contact was deleted")
        if "account.suspended" in names:
            take_back_all()
        if "account.resumed" in names:
            ring("outreach.tasks.plan_due")
            ring("outreach.tasks.send_due")


def anybody_barred(account_id: int) -> bool:
    return (
        Suppression.objects.filter(account=account_id).exists()
        or BlocklistEntry.objects.filter(account=account_id).exists()
    )


def bar(events: Sequence[Event]) -> None:
    """An address that said no before says so again by itself, also when its contact comes back later."""
    addresses = {address: event.subject_id for event in events for address in addresses_in(event)}
    wanted = {
        addresses[address]: STATUS_OF[Suppression.Cause(cause)]
        for address, cause in suppressed(addresses).items()
    }
    wanted |= {addresses[address]: Contact.Status.BLOCKED for address in blocked(addresses)}
    for status in set(wanted.values()):
        ids = [pk for pk, one in wanted.items() if one == status]
        Contact.objects.filter(pk__in=ids, status=Contact.Status.ACTIVE).update(status=status)


def addresses_in(event: Event) -> list[str]:
    """Of a contact as the event shows it, the primary address first."""
    emails = event.data["object"].get("emails") or []
    return [email["address"] for email in sorted(emails, key=lambda email: not email.get("is_primary"))]


def follow_updates(events: Sequence[Event]) -> None:
    """Mail goes to an address that the contact still has, in their own time; who was held may be mended."""
    follow_time_zones(events)
    addresses = {
        event.subject_id: addresses_in(event) for event in events if "emails" in event.data["object"]
    }
    live = list(
        Enrolment.objects.filter(contact__in=addresses, state__in=LIVE)
        .select_related("campaign")
        .order_by("pk")
    )
    moved = [one for one in live if one.address not in addresses[one.contact_id]]
    readdress({one.pk: addresses[one.contact_id][0] for one in moved if addresses[one.contact_id]})
    gone = [one for one in moved if one.address and not addresses[one.contact_id]]
    if lost := [one.pk for one in gone if needs_of(one.campaign).address]:
        stop(Enrolment.objects.filter(pk__in=lost), reason="the contact has no e-mail address any more")
    if held := [one.pk for one in live if one.state == Enrolment.State.HELD]:
        release(Enrolment.objects.filter(pk__in=held), by=None)


def follow_time_zones(events: Sequence[Event]) -> None:
    moved = [event.subject_id for event in events if "time_zone" in event.data.get("changes", {})]
    for pk, zone in Contact.objects.filter(pk__in=moved).order_by("pk").values_list("pk", "time_zone"):
        here = locked_ids(Enrolment.objects.filter(contact=pk, state__in=LIVE))
        Enrolment.objects.filter(pk__in=here).update(time_zone=zone)
        replan(Message.objects.filter(enrolment__in=here), error="the contact is in another time zone now")


def readdress(addresses: dict[int, str]) -> None:
    if not addresses:
        return
    for pk in locked_ids(Enrolment.objects.filter(pk__in=addresses)):
        Enrolment.objects.filter(pk=pk).update(address=addresses[pk])
    replan(Message.objects.filter(enrolment__in=addresses), error="the contact has another address now")


def take_back_all() -> None:
    """A suspended account sends nothing more: workers lose what they hold and have not begun to send.

    A claim that is being made right now is waited for; one made later looks at the account before it sends.
    """
    locked_ids(EmailAccount.objects.alive())
    replan(Message.objects.filter(state="claimed"), error="the account was suspended")
    direct.take_back(Message.objects.all(), error="the account was suspended")
