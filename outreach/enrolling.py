"""Putting contacts into a campaign, and saying of each one left out why.

Reads and writes plain values, thousands at a time: a model instance a contact would cost more than its row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from crm.models import Contact, ContactEmail
from outreach.blocking import blocked, suppressed
from outreach.enrolments import LIVE, locked, reopen
from outreach.models import Campaign, Enrolment, SequenceStep
from outreach.windows import Clocks, closed_of, step_of
from pipelime.bulk import in_chunks, insert_rows
from pipelime.doorbell import ring
from pipelime.errors import Invalid
from pipelime.events.recording import record
from pipelime.ids import uuid7s

AT_ONCE = 2000  # in one transaction: a fraction of a second of SQLite's only writer
NAMED = 100
COLUMNS = (
    "uid", "account_id", "campaign_id", "contact_id", "address", "time_zone", "state", "reason",
    "step_number", "due_at", "intent", "created_at", "updated_at",
)  # fmt: skip


@dataclass
class Enrolled:
    """`left_out` counts contacts by reason; `who` names the first hundred of them."""

    added: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    who: list[dict[str, str]] = field(default_factory=list)

    def leave_out(self, uid: UUID, code: str) -> None:
        self.left_out[code] += 1
        if len(self.who) < NAMED:
            self.who.append({"contact_id": str(uid), "code": code})


class Candidate(NamedTuple):
    id: int
    uid: UUID
    status: str
    is_deleted: bool
    linkedin_url: str
    time_zone: str
    address: str


class Needs(NamedTuple):
    """What the steps of a campaign take to reach somebody."""

    address: bool
    profile: bool


def enrol(campaign: Campaign, contacts: QuerySet[Contact], *, by) -> Enrolled:
    """Add the contacts, some thousands in a transaction. Asking twice adds nobody twice."""
    if campaign.is_template:
        raise Invalid("A template takes no contacts; make a campaign of it first")
    result = Enrolled()
    # Read to the end first: on SQLite a transaction cannot begin beside an older read that is still open.
    ids = list(contacts.order_by("pk").values_list("pk", flat=True))
    for chunk in in_chunks(ids, AT_ONCE):
        with transaction.atomic():
            enrol_chunk(campaign, chunk, result)
    if result.added:
        with transaction.atomic():
            record("campaign.contacts_added", campaign, by=by, added=result.added)
        ring("outreach.tasks.plan_due")
    return result


def enrol_chunk(campaign: Campaign, ids: list[int], result: Enrolled) -> None:
    """Meanwhile the locks let nobody delete the contacts, put them elsewhere or finish the campaign."""
    candidates = candidates_of(ids)
    if any(found.deleted_at for found in locked(Campaign.objects.filter(pk=campaign.pk))):
        raise Invalid("This campaign was deleted")
    fitting = list(judged(campaign, candidates, result))
    if not fitting:
        return
    reopen(Campaign.objects.filter(pk=campaign.pk))
    insert_rows(Enrolment, COLUMNS, rows_of(campaign, fitting, timezone.now()))
    result.added += len(fitting)


def candidates_of(ids: list[int]) -> list[Candidate]:
    """The contacts, locked, with the address that each would be written to."""
    rows = Contact.objects.filter(pk__among=ids).select_for_update(no_key=True).order_by("pk")
    facts = list(rows.values_list("pk", "uid", "status", "deleted_at", "linkedin_url", "time_zone"))
    emails = ContactEmail.objects.filter(contact_id__among=ids).order_by("is_primary", "-pk")
    addresses = dict(emails.values_list("contact_id", "address"))  # the last one wins
    return [
        Candidate(pk, uid, status, deleted_at is not None, profile, zone, addresses.get(pk, ""))
        for pk, uid, status, deleted_at, profile, zone in facts
    ]


def rows_of(campaign: Campaign, fitting: Sequence[Candidate], now: datetime) -> list[tuple[Any, ...]]:
    due_in = dues(campaign, {one.time_zone for one in fitting}, now)
    return [
        (
            uid, campaign.account_id, campaign.pk, one.id, one.address, one.time_zone,
            Enrolment.State.WAITING, "", 1, due_in[one.time_zone], "", now, now,
        )
        for uid, one in zip(uuid7s(len(fitting)), fitting, strict=True)
    ]  # fmt: skip


def judged(campaign: Campaign, candidates: list[Candidate], result: Enrolled) -> Iterator[Candidate]:
    needs, ids = needs_of(campaign), [one.id for one in candidates]
    mine = Enrolment.objects.filter(campaign=campaign, contact_id__among=ids)
    here = set(mine.values_list("contact_id", flat=True))
    elsewhere = in_other_campaigns(campaign, ids)
    addresses = [one.address for one in candidates if one.address]
    said_no, barred = suppressed(addresses), blocked(addresses)
    for one in candidates:
        code = (
            obstacle(one, needs, said_no, barred)
            or ("already_in_campaign" if one.id in here else "")
            or ("in_other_campaign" if one.id in elsewhere else "")
        )
        if code:
            result.leave_out(one.uid, code)
        else:
            yield one


def needs_of(campaign: Campaign) -> Needs:
    """Without any step yet, it is taken for a campaign of mails."""
    steps = SequenceStep.objects.filter(campaign=campaign)
    channels = set(steps.values_list("channel", flat=True)) or {SequenceStep.Channel.EMAIL}
    return Needs(SequenceStep.Channel.EMAIL in channels, bool(channels & set(SequenceStep.LINKEDIN)))


def in_other_campaigns(campaign: Campaign, ids: list[int]) -> set[int]:
    if campaign.options.get("allow_in_other_campaigns"):
        return set()
    others = Enrolment.objects.filter(contact_id__among=ids, state__in=LIVE, campaign__deleted_at=None)
    over = Q(campaign__status=Campaign.Status.FINISHED) & ~Q(state=Enrolment.State.IN_FLIGHT)
    return set(others.exclude(campaign=campaign).exclude(over).values_list("contact_id", flat=True))


def obstacle(one: Candidate, needs: Needs, said_no: dict[str, str], barred: dict[str, str]) -> str:
    """Why nobody may, or can, write to this contact at all; or nothing."""
    if one.is_deleted:
        return "deleted"
    if needs.address and not one.address:
        return "no_email"
    if needs.profile and not one.linkedin_url:
        return "no_linkedin"
    if one.address in said_no:
        return said_no[one.address]
    if one.address in barred:
        return "blocked"
    return "" if one.status == Contact.Status.ACTIVE else one.status


def dues(campaign: Campaign, zones: Iterable[str], now: datetime) -> dict[str, datetime]:
    """By the contact's time zone. The first step may have a delay too, counted from now."""
    step = SequenceStep.objects.filter(campaign=campaign, number=1).first()
    return {zone: first_due(campaign, step, zone, now) if step else now for zone in zones}


def first_due(campaign: Campaign, step: SequenceStep, zone: str, now: datetime) -> datetime:
    """No sender has begun with them yet, so only their own clock may differ from the campaign's."""
    clock = Clocks(contact=zone, mailbox="", linkedin="").of(campaign, step.channel)
    return step_of(step).delay.after(now, clock, closed_of(campaign))
