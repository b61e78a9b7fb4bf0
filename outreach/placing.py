"""Giving waiting enrolments their slots: who may be next, the plan for them, and the messages it makes.

The plan itself is outreach.scheduling, a pure function; this module reads its state and writes its slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import structlog
from django.db.models import Count, Q
from django.utils import timezone

from outreach import caps, scheduling
from outreach.claiming import zone_of
from outreach.composing import message_id
from outreach.enrolments import locked_ids
from outreach.models import Campaign, EmailAccount, Enrolment, Message
from outreach.windows import schedule_of, step_of, zone_named
from pipelime.bulk import insert_rows, take_ids
from pipelime.ids import uuid7

log = structlog.get_logger(__name__)

HORIZON = timedelta(minutes=15)
AT_ONCE = 2000  # enrolments placed in one transaction: a fraction of a second of SQLite's only writer
UNLIMITED = 1 << 40


def place(campaigns: dict[int, Campaign], now: datetime) -> int:
    """Queue the messages of up to AT_ONCE enrolments. Returns how many; 0 when nobody else fits in."""
    until = now + HORIZON
    mailboxes = {mailbox.pk: mailbox for campaign in campaigns.values() for mailbox in usable(campaign)}
    state = scheduling.State(
        campaigns=campaign_values(campaigns.values(), now),
        mailboxes=mailbox_values(mailboxes.values(), now),
        waiting=[],
    )
    waiting = next_waiting(state, now, until)
    if not waiting:
        return 0
    # The plan runs ahead to follow-ups whose delay ends within these minutes; they wait for their mail.
    awaited = {(one.enrolment_id, one.step_number) for one in waiting}
    slots = [
        slot
        for slot in scheduling.plan(replace(state, waiting=waiting), now, until).slots
        if (slot.enrolment_id, slot.step_number) in awaited
    ]
    queue(slots, {one.enrolment_id: one.campaign_id for one in waiting}, campaigns, mailboxes)
    return len(slots)


def next_waiting(state: scheduling.State, now: datetime, until: datetime) -> list[scheduling.Waiting]:
    """Whoever the plan would serve first, and only those for whom there is room.

    Everything that waits may be far more: a campaign outside its windows, or the contacts of a mailbox
    that has used its day, must not crowd out those who can go.
    """
    rooms = {one.id: room(one.zone, one.daily_cap, one.used, now, until) for one in state.mailboxes}
    found = []
    for campaign in state.campaigns:
        opens = campaign.schedule.next_open(now)
        senders = [pk for pk in campaign.mailbox_ids if rooms[pk]]
        own = room(campaign.schedule.zone, campaign.daily_cap, campaign.used, now, until)
        limit = min(AT_ONCE, own, sum(rooms[pk] for pk in senders))
        if opens is None or opens >= until or not limit:
            continue
        for one in due_first(campaign, senders, until, limit):
            is_first_mail = one.step_number == campaign.steps[0].number
            found.append((max(one.due, opens), is_first_mail, one.due, one.enrolment_id, one))
    return [one for *_, one in sorted(found)[:AT_ONCE]]


def room(zone: tzinfo, cap: int | None, used: Mapping[date, int], now: datetime, until: datetime) -> int:
    """How many more may go between now and then, over all the local days that these minutes touch."""
    if cap is None:
        return UNLIMITED
    days = {now.astimezone(zone).date(), until.astimezone(zone).date()}
    return sum(max(0, cap - used.get(day, 0)) for day in days)


def due_first(
    campaign: scheduling.Campaign, senders: Collection[int], until: datetime, limit: int
) -> Iterator[scheduling.Waiting]:
    """Three reads of an index: follow-ups, first mails that have a sender already, and all the others."""
    waiting = Enrolment.objects.filter(
        campaign=campaign.id, state=Enrolment.State.WAITING, due_at__lt=until
    ).order_by("due_at", "pk")
    first, *later = [step.number for step in campaign.steps]
    for rows in (
        waiting.filter(Q(mailbox=None) | Q(mailbox__in=senders), step_number__in=later),
        waiting.filter(mailbox__in=senders, step_number=first),
        waiting.filter(mailbox=None, step_number=first),
    ):
        columns = ("pk", "campaign_id", "step_number", "due_at", "mailbox_id")
        yield from (scheduling.Waiting(*row) for row in rows.values_list(*columns)[:limit])


def usable(campaign: Campaign) -> list[EmailAccount]:
    return [
        mailbox
        for mailbox in campaign.mailboxes.all()
        if mailbox.paused_at is None and mailbox.deleted_at is None
    ]


def campaign_values(campaigns: Iterable[Campaign], now: datetime) -> list[scheduling.Campaign]:
    campaigns = [campaign for campaign in campaigns if campaign.steps.all()]
    since = (now - timedelta(days=1)).date()
    used = caps.used_by_day([caps.scope_of(campaign) for campaign in campaigns], since)
    queued = queued_slots("campaign_id", [campaign.pk for campaign in campaigns])
    return [
        scheduling.Campaign(
            id=campaign.pk,
            seed=bytes.fromhex(campaign.seed),
            schedule=schedule_of(campaign),
            steps=[step_of(step) for step in campaign.steps.all()],
            mailbox_ids=[mailbox.pk for mailbox in usable(campaign)],
            daily_cap=campaign.daily_limit,
            used=by_day(
                used[caps.scope_of(campaign)], queued.get(campaign.pk, []), zone_named(campaign.time_zone)
            ),
        )
        for campaign in campaigns
    ]


def mailbox_values(mailboxes: Iterable[EmailAccount], now: datetime) -> list[scheduling.Mailbox]:
    mailboxes = list(mailboxes)
    since = (now - timedelta(days=1)).date()
    used = caps.used_by_day([caps.scope_of(mailbox) for mailbox in mailboxes], since)
    queued = queued_slots("mailbox_id", [mailbox.pk for mailbox in mailboxes])
    return [
        scheduling.Mailbox(
            id=mailbox.pk,
            zone=zone_of(mailbox),
            daily_cap=mailbox.daily_limit,
            used=by_day(used[caps.scope_of(mailbox)], queued.get(mailbox.pk, []), zone_of(mailbox)),
        )
        for mailbox in mailboxes
    ]


def queued_slots(owner: str, ids: list[int]) -> dict[int, list[tuple[datetime, int]]]:
    """(moment, count) of what is planned but not yet claimed, and so not yet in the counters."""
    found: dict[int, list[tuple[datetime, int]]] = {}
    rows = Message.objects.filter(state="queued", **{f"{owner}__in": ids}).values_list(owner, "due_at")
    for pk, due_at, count in rows.annotate(Count("pk")).order_by():
        found.setdefault(pk, []).append((due_at, count))
    return found


def by_day(used: Counter[date], slots: Iterable[tuple[datetime, int]], zone: tzinfo) -> Counter[date]:
    used = Counter(used)
    for moment, count in slots:
        used[moment.astimezone(zone).date()] += count
    return used


COLUMNS = (
    "id", "uid", "account_id", "enrolment_id", "campaign_id", "mailbox_id", "contact_uid", "step_number",
    "variant", "to_address", "to_name", "from_address", "campaign_name", "message_id", "subject", "state",
    "due_at", "slot_at", "fence", "claim", "attempts", "last_error", "followed_up", "created_at",
)  # fmt: skip
PERSON = ("pk", "address", "contact__uid", "contact__first_name", "contact__last_name")


def queue(
    slots: Sequence[scheduling.Slot],
    campaign_of: Mapping[int, int],
    campaigns: Mapping[int, Campaign],
    mailboxes: Mapping[int, EmailAccount],
) -> None:
    """Write slots as queued messages, and mark their enrolments as in flight."""
    slots = still_waiting(slots)
    people = {
        row[0]: row[1:]
        for row in Enrolment.objects.filter(pk__in=[slot.enrolment_id for slot in slots]).values_list(*PERSON)
    }
    now, rows, by_mailbox = timezone.now(), [], {}
    for pk, slot in zip(take_ids(Message, len(slots)), slots, strict=True):
        campaign, mailbox = campaigns[campaign_of[slot.enrolment_id]], mailboxes[slot.mailbox_id]
        rows.append([pk, *message_row(slot, people[slot.enrolment_id], campaign, mailbox), now])
        by_mailbox.setdefault(slot.mailbox_id, []).append(slot.enrolment_id)
    insert_rows(Message, COLUMNS, rows)
    for mailbox_id, ids in by_mailbox.items():
        Enrolment.objects.filter(pk__in=ids).update(
            state=Enrolment.State.IN_FLIGHT, mailbox=mailbox_id, updated_at=now
        )


def still_waiting(slots: Sequence[scheduling.Slot]) -> list[scheduling.Slot]:
    """Without those who were stopped while the plan was made, and those whose step has its mail already."""
    ids = [slot.enrolment_id for slot in slots]
    waiting = set(locked_ids(Enrolment.objects.filter(pk__in=ids, state=Enrolment.State.WAITING)))
    written = Message.objects.filter(enrolment__in=ids).exclude(state=Message.State.CANCELLED)
    served = set(written.values_list("enrolment_id", "step_number"))
    twice = {slot.enrolment_id for slot in slots if (slot.enrolment_id, slot.step_number) in served}
    if twice:
        log.error("planning.step_has_its_mail", enrolments=sorted(twice)[:20])
        mend(twice)
    return [slot for slot in slots if slot.enrolment_id in waiting - twice]


def mend(enrolment_ids: Collection[int]) -> None:
    """Their mail decides again where they stand: without this one wrong row would stop every later plan."""
    Enrolment.objects.filter(pk__in=enrolment_ids).update(state=Enrolment.State.IN_FLIGHT)
    Message.objects.filter(enrolment__in=enrolment_ids, state="sent").update(followed_up=False)


def message_row(
    slot: scheduling.Slot, person: Sequence[Any], campaign: Campaign, mailbox: EmailAccount
) -> list[Any]:
    uid = uuid7()
    address, contact_uid, first_name, last_name = person
    name = f"{first_name} {last_name}".strip()
    # The Message-ID is stored before the dialogue and kept on every retry.
    own_id = message_id(uid, mailbox.email.rpartition("@")[2])
    return [
        uid, campaign.account_id, slot.enrolment_id, campaign.pk, mailbox.pk, contact_uid,
        slot.step_number, slot.variant, address, name, mailbox.email, campaign.name,
        own_id, "", "queued", slot.at, slot.at, 0, "", 0, "", False,
    ]  # fmt: skip
