"""One round of planning for an account: move enrolments on, plan the next minutes, finish campaigns.

The plan itself is outreach.scheduling, a pure function; this module reads its state and writes its slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from outreach import caps, scheduling
from outreach.claiming import zone_of
from outreach.composing import message_id
from outreach.enrolments import cancel
from outreach.models import Campaign, EmailAccount, Enrolment, Message
from outreach.windows import schedule_of, step_of, zone_named
from pipelime.accounts.models import Account
from pipelime.bulk import in_chunks, insert_rows, take_ids
from pipelime.doorbell import ring
from pipelime.events.recording import record
from pipelime.ids import uuid7
from pipelime.scope import account_scope

HORIZON = timedelta(minutes=15)
LATE = timedelta(minutes=15)  # a slot missed by more than this is planned anew
ROUND = 20_000  # enrolments planned at once


def accounts_to_plan() -> list[int]:
    """Accounts with running campaigns, those planned longest ago first. Under every_account()."""
    rows = Campaign.objects.filter(
        status=Campaign.Status.STARTED, deleted_at=None, account__suspended_at=None
    )
    rows = rows.order_by("planned_at", "pk").values_list("account_id", flat=True)
    return list(dict.fromkeys(rows))


def plan_account(account_id: int, now: datetime) -> int:
    """One round for one account. Returns how many messages were queued; 0 when another worker is at it."""
    with account_scope(account_id), transaction.atomic():
        if not lock(account_id):
            return 0
        campaigns = running_campaigns()
        follow_up(campaigns)
        replan_missed(campaigns, now)
        queued = plan_messages(campaigns, now)
        finish_done(campaigns.values(), now)
        Campaign.objects.filter(pk__in=campaigns).update(planned_at=now)
        if queued:
            ring("outreach.tasks.send_due")
    return queued


def lock(account_id: int) -> bool:
    """One planner an account. SQLite's IMMEDIATE transaction already lets nobody else write.

    NO KEY: every insert into the account holds a share of its key, and must neither wait nor be in the way.
    """
    rows = Account.objects.filter(pk=account_id)
    if connection.vendor == "postgresql":
        rows = rows.select_for_update(skip_locked=True, no_key=True)
    return rows.first() is not None


def running_campaigns() -> dict[int, Campaign]:
    rows = Campaign.objects.alive().filter(status=Campaign.Status.STARTED)
    return {campaign.pk: campaign for campaign in rows.prefetch_related("steps", "mailboxes")}


def follow_up(campaigns: dict[int, Campaign]) -> int:
    """Enrolments whose message was sent wait for their next step, or are done."""
    moved = 0
    while True:
        sent = list(
            Message.objects.filter(state="sent", followed_up=False)
            .order_by("pk")
            .values_list("pk", "enrolment_id", "campaign_id", "step_number", "slot_at")[:2000]
        )
        if not sent:
            return moved
        advance(sent, campaigns)
        Message.objects.filter(pk__in=[row[0] for row in sent]).update(followed_up=True)
        moved += len(sent)


def advance(sent: list[tuple], campaigns: dict[int, Campaign]) -> None:
    others = {row[2] for row in sent} - set(campaigns) - {None}
    known = campaigns | Campaign.objects.filter(pk__in=others).prefetch_related("steps").in_bulk()
    enrolments = Enrolment.objects.in_bulk([row[1] for row in sent if row[1]])
    moved: dict[tuple[str, int, datetime], list[int]] = {}
    for _, enrolment_id, campaign_id, step_number, slot_at in sent:
        enrolment = enrolments.get(enrolment_id)
        if enrolment is None or enrolment.state != Enrolment.State.IN_FLIGHT:
            continue
        if enrolment.step_number != step_number:
            continue
        step_after(enrolment, known[campaign_id], slot_at)
        moved.setdefault((enrolment.state, enrolment.step_number, enrolment.due_at), []).append(enrolment_id)
    # Many enrolments share a slot, and so their next due time: one update serves them all.
    for (state, number, due_at), ids in moved.items():
        Enrolment.objects.filter(pk__in=ids).update(
            state=state, step_number=number, due_at=due_at, updated_at=timezone.now()
        )


def step_after(enrolment: Enrolment, campaign: Campaign, slot_at: datetime) -> None:
    following = [step for step in campaign.steps.all() if step.number > enrolment.step_number]
    if not following:
        enrolment.state = Enrolment.State.FINISHED
        return
    step = min(following, key=lambda step: step.number)
    enrolment.state = Enrolment.State.WAITING
    enrolment.step_number = step.number
    enrolment.due_at = step_of(step).delay.after(slot_at, zone_named(campaign.time_zone))


def replan_missed(campaigns: dict[int, Campaign], now: datetime) -> int:
    """Messages nobody sent in time, because no worker ran or a cap was reached, wait for a new slot."""
    missed = Message.objects.filter(
        campaign__in=campaigns, state="queued", due_at__lt=now - LATE, slot_at__lt=now - LATE
    )
    cancelled = cancel(missed, error="its slot was missed; planned anew")
    unplan(cancelled)
    return len(cancelled)


def unplan(messages: Iterable[Message]) -> None:
    """The enrolments of cancelled messages wait again, with the due time they had."""
    for chunk in in_chunks((message.enrolment_id for message in messages if message.enrolment_id), 500):
        Enrolment.objects.filter(pk__in=chunk, state=Enrolment.State.IN_FLIGHT).update(
            state=Enrolment.State.WAITING, updated_at=timezone.now()
        )


def plan_messages(campaigns: dict[int, Campaign], now: datetime) -> int:
    until = now + HORIZON
    waiting = list(
        Enrolment.objects.filter(campaign__in=campaigns, state=Enrolment.State.WAITING, due_at__lt=until)
        .order_by("due_at", "pk")
        .values_list("pk", "campaign_id", "step_number", "due_at", "mailbox_id")[:ROUND]
    )
    if not waiting:
        return 0
    mailboxes = {mailbox.pk: mailbox for campaign in campaigns.values() for mailbox in usable(campaign)}
    state = scheduling.State(
        campaigns=campaign_values(campaigns.values(), now),
        mailboxes=mailbox_values(mailboxes.values(), now),
        waiting=[scheduling.Waiting(*row) for row in waiting],
    )
    # The plan runs ahead to follow-ups whose delay ends within these minutes; they wait for their mail to be sent.
    awaited = {(row[0], row[2]) for row in waiting}
    slots = [
        slot
        for slot in scheduling.plan(state, now, until).slots
        if (slot.enrolment_id, slot.step_number) in awaited
    ]
    for chunk in in_chunks(slots, 1000):
        queue(chunk, campaigns, mailboxes)
    return len(slots)


def usable(campaign: Campaign) -> list[EmailAccount]:
    return [
        mailbox
        for mailbox in campaign.mailboxes.all()
        if mailbox.paused_at is None and mailbox.deleted_at is None
    ]


def campaign_values(campaigns: Iterable[Campaign], now: datetime) -> list[scheduling.Campaign]:
    campaigns = list(campaigns)
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


def queued_slots(owner: str, ids: list[int]) -> dict[int, list[datetime]]:
    """The slots that are planned but not yet claimed, and so not yet in the counters."""
    found: dict[int, list[datetime]] = {}
    rows = Message.objects.filter(state="queued", **{f"{owner}__in": ids}).values_list(owner, "due_at")
    for pk, due_at in rows.iterator():
        found.setdefault(pk, []).append(due_at)
    return found


def by_day(used: Counter[date], slots: list[datetime], zone) -> Counter[date]:
    return used + Counter(slot.astimezone(zone).date() for slot in slots)


COLUMNS = (
    "id", "uid", "account_id", "enrolment_id", "campaign_id", "mailbox_id", "contact_uid", "step_number",
    "variant", "to_address", "to_name", "from_address", "campaign_name", "message_id", "subject", "state",
    "due_at", "slot_at", "fence", "claim", "attempts", "last_error", "followed_up", "created_at",
)  # fmt: skip


def queue(
    slots: list[scheduling.Slot], campaigns: dict[int, Campaign], mailboxes: dict[int, EmailAccount]
) -> None:
    """Write planned slots as queued messages, and mark their enrolments as in flight."""
    enrolments = Enrolment.objects.select_related("contact").in_bulk([slot.enrolment_id for slot in slots])
    now = timezone.now()
    rows = [
        [*message_row(pk, slot, enrolments[slot.enrolment_id], campaigns, mailboxes[slot.mailbox_id]), now]
        for pk, slot in zip(take_ids(Message, len(slots)), slots, strict=True)
    ]
    insert_rows(Message, COLUMNS, rows)
    by_mailbox: dict[int, list[int]] = {}
    for slot in slots:
        by_mailbox.setdefault(slot.mailbox_id, []).append(slot.enrolment_id)
    for mailbox_id, ids in by_mailbox.items():
        Enrolment.objects.filter(pk__in=ids).update(
            state=Enrolment.State.IN_FLIGHT, mailbox=mailbox_id, updated_at=now
        )


def message_row(
    pk: int,
    slot: scheduling.Slot,
    enrolment: Enrolment,
    campaigns: dict[int, Campaign],
    mailbox: EmailAccount,
) -> list:
    campaign, uid = campaigns[enrolment.campaign_id], uuid7()
    contact = enrolment.contact
    name = f"{contact.first_name} {contact.last_name}".strip()
    return [
        pk, uid, campaign.account_id, enrolment.pk, campaign.pk, mailbox.pk, contact.uid, slot.step_number,
        slot.variant, enrolment.address, name, mailbox.email, campaign.name,
        message_id_of(uid, mailbox), "", "queued",
        slot.at, slot.at, 0, "", 0, "", False,
    ]  # fmt: skip


def message_id_of(uid: UUID, mailbox: EmailAccount) -> str:
    """Stored before the dialogue and kept on every retry."""
    return message_id(uid, mailbox.email.rpartition("@")[2])


def finish_done(campaigns: Iterable[Campaign], now: datetime) -> None:
    """A campaign is finished when nobody waits and nothing is queued, claimed or being sent."""
    ids = [campaign.pk for campaign in campaigns]
    waiting = Enrolment.objects.filter(campaign=OuterRef("pk"), state=Enrolment.State.WAITING)
    unsent = Message.objects.filter(campaign=OuterRef("pk"), state__in=Message.OPEN)
    unfollowed = Message.objects.filter(campaign=OuterRef("pk"), state="sent", followed_up=False)
    somebody = Enrolment.objects.filter(campaign=OuterRef("pk"))
    done = Campaign.objects.filter(pk__in=ids).filter(
        Exists(somebody), ~Exists(waiting), ~Exists(unsent), ~Exists(unfollowed)
    )
    for campaign in done:
        campaign.status, campaign.finished_at = Campaign.Status.FINISHED, now
        campaign.save(update_fields=["status", "finished_at", "updated_at"])
        record("campaign.finished", campaign, by=None)
