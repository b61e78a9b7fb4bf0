"""Contacts' places in campaigns: stopping, pausing, putting off and moving them; giving unsent messages up.

Whoever changes several kinds of rows locks them in one order, or two would wait for each other:
contact, account, campaign, mailbox, enrolment, message, cap; rows of a kind by id. A row is locked before it
is judged: a claim or a plan that is about to commit is then waited for instead of overlooked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from outreach import caps
from outreach.models import Campaign, Enrolment, Message, SequenceStep
from pipelime.bulk import in_chunks
from pipelime.doorbell import ring
from pipelime.errors import Invalid
from pipelime.events.recording import record, record_all

State = Enrolment.State
LIVE = (State.WAITING, State.IN_FLIGHT, State.HELD, State.PAUSED)
UNSENT = (Message.State.QUEUED, Message.State.CLAIMED, Message.State.TODO)
UNCAPPED = {"mailbox_day": None, "campaign_day": None, "account_day": None}
CHUNK = 1000
# What an event tells of a place, by its column.
TOLD = {
    "state": "status", "reason": "reason", "step_number": "step", "intent": "intent",
    "parked_until": "parked_until",
}  # fmt: skip


def locked(rows: QuerySet) -> QuerySet:
    """The rows as they are once nobody else changes them. NO KEY: new rows may go on referring to them."""
    return rows.select_for_update(of=("self",), no_key=True).order_by("pk")


def locked_ids(rows: QuerySet) -> list[int]:
    """The same of rows that are only to be held, or moved by an update."""
    return list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def stop(enrolments: QuerySet[Enrolment], *, reason: str, state: str = State.STOPPED) -> int:
    """End these enrolments and cancel what is not on its way yet. What is being sent cannot be recalled.

    A thousand go in one transaction, unless the caller has one open.
    """
    ids = list(enrolments.filter(state__in=LIVE).order_by("pk").values_list("pk", flat=True))
    return sum(stop_some(chunk, reason, state) for chunk in in_chunks(ids, CHUNK))


@transaction.atomic
def stop_some(ids: list[int], reason: str, state: str) -> int:
    live = whole(Enrolment.objects.filter(pk__in=ids, state__in=LIVE))
    cancel(Message.objects.filter(enrolment__in=live), error=reason)
    change(live, by=None, state=state, reason=reason[:500])
    return len(live)


def whole(rows: QuerySet[Enrolment]) -> list[Enrolment]:
    """Locked, with all that their events tell."""
    return list(locked(rows.select_related("campaign", "contact")))


def change(enrolments: Sequence[Enrolment], *, by, **values: Any) -> None:
    """Write the same values to locked enrolments and tell of each what it was before."""
    facts = [(enrolment, {"changes": changes(enrolment, values)}) for enrolment in enrolments]
    for enrolment in enrolments:
        vars(enrolment).update(values)
    Enrolment.objects.filter(pk__in=[enrolment.pk for enrolment in enrolments]).update(
        **values, updated_at=timezone.now()
    )
    record_all("enrolment.status_changed", facts, by=by)


def changes(enrolment: Enrolment, values: dict[str, Any]) -> dict[str, list]:
    """{field: [old, new]} of what people are told, in the words of the API."""
    pairs = {TOLD[name]: [getattr(enrolment, name), new] for name, new in values.items() if name in TOLD}
    return {name: [plain(one) for one in pair] for name, pair in pairs.items() if pair[0] != pair[1]}


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def finished(ids: Iterable[int]) -> None:
    """These have had their last step. Part of the caller's transaction."""
    change(whole(Enrolment.objects.filter(pk__in=list(ids))), by=None, state=State.FINISHED)


@transaction.atomic
def pause_enrolment(enrolment: Enrolment, *, by) -> Enrolment:
    """Nothing more is begun for this contact until it is resumed. What is being sent cannot be recalled."""
    if taken(enrolment).state == State.PAUSED:
        return enrolment
    if enrolment.state not in LIVE:
        raise Invalid(f"This contact's place is {enrolment.state}; only one that is under way can pause")
    cancel(Message.objects.filter(enrolment=enrolment), error="the contact's place was paused")
    change([enrolment], by=by, state=State.PAUSED, reason="")
    return enrolment


@transaction.atomic
def resume_enrolment(enrolment: Enrolment, *, by) -> Enrolment:
    """Go on where it was paused. A step that was under way then is never begun a second time."""
    reopen(Campaign.objects.filter(pk=enrolment.campaign_id))
    if taken(enrolment).state != State.PAUSED:
        raise Invalid(f"This contact's place is {enrolment.state}; only a paused one can be resumed")
    begun = Message.objects.filter(enrolment=enrolment, step_number=enrolment.step_number)
    begun = begun.exclude(state=Message.State.CANCELLED)
    state = State.IN_FLIGHT if begun.exists() else State.WAITING
    begun.filter(state__in=(Message.State.SENT, Message.State.SKIPPED)).update(followed_up=False)
    change([enrolment], by=by, state=state)
    ring("outreach.tasks.plan_due")
    return enrolment


@transaction.atomic
def remove_enrolment(enrolment: Enrolment, *, by) -> Enrolment:
    """Out of the campaign for good; what was sent stays on record."""
    if taken(enrolment).state != State.STOPPED:
        cancel(Message.objects.filter(enrolment=enrolment), error="the contact was removed from the campaign")
        change([enrolment], by=by, state=State.STOPPED, reason="removed")
    return enrolment


@transaction.atomic
def release_enrolment(enrolment: Enrolment, *, by) -> Enrolment:
    if not release(Enrolment.objects.filter(pk=enrolment.pk), by=by):
        raise Invalid(f"This contact's place is {enrolment.state}; only a held one can be released")
    enrolment.refresh_from_db()
    return enrolment


@transaction.atomic
def jump(enrolment: Enrolment, number: int, *, by) -> Enrolment:
    """Go on with this step as soon as its campaign's hours allow. Nobody gets a step a second time."""
    reopen(Campaign.objects.filter(pk=enrolment.campaign_id))
    if taken(enrolment).state == State.STOPPED:
        raise Invalid(f"This contact's place is stopped ({enrolment.reason}) and goes to no step any more")
    known = list(SequenceStep.objects.filter(campaign=enrolment.campaign_id).values_list("number", flat=True))
    if number not in known:
        raise Invalid(f"{number} is no step of this campaign; it has {len(known)} steps", field="step")
    own = Message.objects.filter(enrolment=enrolment)
    cancel(own, error=f"the contact was moved to step {number}")
    if own.filter(state__in=(Message.State.SENDING, Message.State.AMBIGUOUS)).exists():
        raise Invalid(
            "A message to this contact is being sent, or nobody knows whether it arrived; settle that first",
            field="step",
        )
    if own.filter(step_number=number).exclude(state=Message.State.CANCELLED).exists():
        raise Invalid(f"This contact has had step {number} already; choose a later one", field="step")
    state = State.PAUSED if enrolment.state == State.PAUSED else State.WAITING
    change(
        [enrolment],
        by=by,
        state=state,
        step_number=number,
        due_at=timezone.now(),
        parked_until=None,
        reason="",
    )
    ring("outreach.tasks.plan_due")
    return enrolment


@transaction.atomic
def set_intent(enrolment: Enrolment, intent: str, *, by) -> Enrolment:
    """What the contact's answer says; "" for not known."""
    if intent and intent not in Enrolment.Intent.values:
        raise Invalid(f"{intent!r} is no intent; use {', '.join(Enrolment.Intent.values)}", field="intent")
    if taken(enrolment).intent != intent:
        change([enrolment], by=by, intent=intent)
    return enrolment


def taken(enrolment: Enrolment) -> Enrolment:
    """The same instance, locked and read anew: a plan or a claim that is at it is waited for."""
    enrolment.refresh_from_db(from_queryset=locked(Enrolment.objects.all()))
    return enrolment


def park(enrolments: QuerySet[Enrolment], *, until: datetime, reason: str) -> int:
    """Put these off until somebody is back: what was planned for them before waits again."""
    ids = list(enrolments.filter(state__in=LIVE).order_by("pk").values_list("pk", flat=True))
    return sum(park_some(chunk, until, reason) for chunk in in_chunks(ids, CHUNK))


@transaction.atomic
def park_some(ids: list[int], until: datetime, reason: str) -> int:
    """One that is being sent keeps its moment; the step after it waits for `parked_until`."""
    sooner = Q(parked_until=None) | Q(parked_until__lt=until)
    parked = locked_ids(Enrolment.objects.filter(sooner, pk__in=ids, state__in=LIVE))
    replan(Message.objects.filter(enrolment__in=parked), error=reason)
    here = Enrolment.objects.filter(pk__in=parked)
    here.filter(due_at__lt=until).update(due_at=until)
    change(whole(here), by=None, parked_until=until)
    return len(parked)


@transaction.atomic
def release(enrolments: QuerySet[Enrolment], *, by) -> int:
    """What was held because something had to be mended waits for its turn again."""
    held = enrolments.filter(state=State.HELD)
    campaign_ids = set(held.order_by().values_list("campaign_id", flat=True))
    if not campaign_ids:
        return 0
    reopen(Campaign.objects.filter(pk__in=campaign_ids))
    freed = whole(held)
    change(freed, by=by, state=State.WAITING, reason="")
    ring("outreach.tasks.plan_due")
    return len(freed)


def reopen(campaigns: QuerySet[Campaign]) -> list[Campaign]:
    """Lock the campaigns, so that none finishes meanwhile; a finished one that has work again goes on."""
    found = list(locked(campaigns))
    for campaign in found:
        if campaign.status == Campaign.Status.FINISHED and not campaign.deleted_at:
            campaign.status, campaign.finished_at = Campaign.Status.STARTED, None
            campaign.save(update_fields=["status", "finished_at", "updated_at"])
            record("campaign.resumed", campaign, by=None)
    return found


def replan(messages: QuerySet[Message], *, error: str) -> int:
    """Give unsent messages up; their enrolments wait again, with the due time they had."""
    unsent = messages.filter(state__in=UNSENT, enrolment__isnull=False)
    ids = list(unsent.order_by("enrolment_id").values_list("enrolment_id", flat=True))
    return sum(replan_some(messages, chunk, error) for chunk in in_chunks(ids, CHUNK))


@transaction.atomic
def replan_some(messages: QuerySet[Message], enrolment_ids: list[int], error: str) -> int:
    live = locked_ids(Enrolment.objects.filter(pk__in=enrolment_ids))
    cancelled = cancel(messages.filter(enrolment__in=live), error=error)
    wait_again(message.enrolment_id for message in cancelled if message.enrolment_id)
    return len(cancelled)


def wait_again(enrolment_ids: Iterable[int]) -> None:
    Enrolment.objects.filter(pk__in=list(enrolment_ids), state=State.IN_FLIGHT).update(
        state=State.WAITING, updated_at=timezone.now()
    )


def cancel(messages: QuerySet[Message], *, error: str) -> list[Message]:
    """Cancel what is queued or claimed. The fence moves, so a worker that holds one cannot send it."""
    owners = ("enrolment_id", "mailbox_id", "linkedin_account_id", "campaign_id")
    needed = ("pk", "account_id", *owners, *UNCAPPED)
    found = list(locked(messages.filter(state__in=UNSENT)).only(*needed))
    Message.objects.filter(pk__in=[message.pk for message in found]).update(
        state=Message.State.CANCELLED,
        fence=F("fence") + 1,
        lease_until=None,
        last_error=error[:2000],
        **UNCAPPED,
    )
    caps.give_back(found)
    return found
