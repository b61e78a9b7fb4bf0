"""Putting contacts into a campaign, and saying of each one left out why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from crm.models import Contact
from outreach.blocking import blocked, suppressed
from outreach.enrolments import LIVE, locked, locked_ids, reopen
from outreach.models import Campaign, Enrolment, SequenceStep
from outreach.windows import step_of, zone_named
from pipelime.bulk import in_chunks
from pipelime.doorbell import ring
from pipelime.errors import Invalid
from pipelime.events.recording import record


@dataclass
class Enrolled:
    """`left_out` counts contacts by reason; `who` names the first hundred of them."""

    added: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    who: list[dict[str, str]] = field(default_factory=list)

    def leave_out(self, contact: Contact, code: str) -> None:
        self.left_out[code] += 1
        if len(self.who) < 100:
            self.who.append({"contact_id": str(contact.uid), "code": code})


def enrol(campaign: Campaign, contacts: QuerySet[Contact], *, by) -> Enrolled:
    """Add the contacts, a thousand in a transaction. Asking twice adds nobody twice."""
    result = Enrolled()
    # Read to the end first: on SQLite a transaction cannot begin beside an older read that is still open.
    ids = list(contacts.order_by("pk").values_list("pk", flat=True))
    for chunk in in_chunks(ids, 1000):
        with transaction.atomic():
            enrol_chunk(campaign, chunk, result)
    if result.added:
        with transaction.atomic():
            record("campaign.contacts_added", campaign, by=by, added=result.added)
        ring("outreach.tasks.plan_due")
    return result


def enrol_chunk(campaign: Campaign, ids: list[int], result: Enrolled) -> None:
    """Meanwhile the locks let nobody delete the contacts, put them elsewhere or finish the campaign."""
    locked_ids(Contact.objects.filter(pk__in=ids))
    contacts = list(Contact.objects.filter(pk__in=ids).prefetch_related("emails").order_by("pk"))
    if any(found.deleted_at for found in locked(Campaign.objects.filter(pk=campaign.pk))):
        raise Invalid("This campaign was deleted")
    fitting = list(judged(campaign, contacts, result))
    if not fitting:
        return
    reopen(Campaign.objects.filter(pk=campaign.pk))
    due_at = first_due(campaign)
    Enrolment.objects.bulk_create(
        [
            Enrolment(
                account_id=campaign.account_id,
                campaign=campaign,
                contact=contact,
                address=contact.email,
                due_at=due_at,
            )
            for contact in fitting
        ],
        batch_size=500,
    )
    result.added += len(fitting)


def judged(campaign: Campaign, contacts: list[Contact], result: Enrolled) -> Iterable[Contact]:
    ids = [contact.pk for contact in contacts]
    here = set(
        Enrolment.objects.filter(campaign=campaign, contact__in=ids).values_list("contact_id", flat=True)
    )
    elsewhere: set[int] = set()
    if not campaign.options.get("allow_in_other_campaigns"):
        others = Enrolment.objects.filter(contact__in=ids, state__in=LIVE, campaign__deleted_at=None)
        over = Q(campaign__status=Campaign.Status.FINISHED) & ~Q(state=Enrolment.State.IN_FLIGHT)
        elsewhere = set(others.exclude(campaign=campaign).exclude(over).values_list("contact_id", flat=True))
    addresses = [contact.email for contact in contacts if contact.email]
    said_no, barred = suppressed(addresses), blocked(addresses)
    for contact in contacts:
        code = (
            obstacle(contact, said_no, barred)
            or ("already_in_campaign" if contact.pk in here else "")
            or ("in_other_campaign" if contact.pk in elsewhere else "")
        )
        if code:
            result.leave_out(contact, code)
        else:
            yield contact


def obstacle(contact: Contact, said_no: dict[str, str], barred: dict[str, str]) -> str:
    """Why nobody may write to this contact at all, or nothing."""
    if contact.deleted_at:
        return "deleted"
    if not contact.email:
        return "no_email"
    if contact.email in said_no:
        return said_no[contact.email]
    if contact.email in barred:
        return "blocked"
    return "" if contact.status == Contact.Status.ACTIVE else contact.status


def first_due(campaign: Campaign):
    """The first step may have a delay too, counted from now."""
    now = timezone.now()
    step = SequenceStep.objects.filter(campaign=campaign, number=1).first()
    return step_of(step).delay.after(now, zone_named(campaign.time_zone)) if step else now
