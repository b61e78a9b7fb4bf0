"""The plan of a campaign: what its contacts will get, from whom and at which minute, and who is left out.

It begins with what is on its way, and goes on with the engine's own plan for all that share its senders:
whatever happens outside, an answer or another campaign, happens after it was made.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from outreach import placing, scheduling
from outreach.demand import as_waiting
from outreach.foresight.codes import CODES, Reason
from outreach.foresight.places import COLUMNS, Begun, Place, begun, reason_of_place
from outreach.foresight.words import reason_of
from outreach.models import Campaign, Enrolment, Message
from outreach.scheduling import Via, Waiting
from outreach.windows import via_of

UNDONE = Message.OPEN
SETTLED = (Message.State.SENT, Message.State.SKIPPED)


class Row(NamedTuple):
    """One step of one contact; in the order of the plan. `is_begun`: its message is there already."""

    at: datetime
    enrolment_id: int
    step_number: int
    via: Via
    sender_id: int | None
    variant: str
    is_begun: bool = False


class LeftOut(NamedTuple):
    enrolment_id: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Foresight:
    """Rows by (moment, enrolment, step), those left out by enrolment."""

    now: datetime
    until: datetime
    rows: list[Row]
    left_out: list[LeftOut]

    def rows_after(self, key: tuple[datetime, int, int] | None, limit: int) -> list[Row]:
        start = bisect_right(self.rows, key, key=lambda row: row[:3]) if key else 0
        return self.rows[start : start + limit]

    def left_out_after(self, enrolment_id: int, limit: int) -> list[LeftOut]:
        start = bisect_right(self.left_out, enrolment_id, key=lambda one: one.enrolment_id)
        return self.left_out[start : start + limit]


def plan_of(campaign: Campaign, *, until: datetime, now: datetime) -> Foresight:
    """The campaign's plan in [now, until), as if it were started now, if it is not."""
    campaigns = planned_together(campaign)
    on_the_way = begun(campaigns)
    state = state_ahead(campaigns, on_the_way, now)
    plan = scheduling.plan(state, now, until)
    mine = {one.enrolment_id: one for one in state.waiting if one.campaign_id == campaign.pk}
    own = {one.enrolment_id: one for one in on_the_way if one.campaign_id == campaign.pk}
    rows = [row_of(one) for one in own.values() if one.state in UNDONE and one.due_at < until]
    rows += [Row(slot.at, *slot[:5]) for slot in plan.slots if slot.enrolment_id in mine]
    served = {row.enrolment_id for row in rows}
    found = unserved(campaigns[campaign.pk], plan, mine, served)
    found |= {
        pk: reason for pk, reason in standing(campaigns[campaign.pk], own) if pk not in served | mine.keys()
    }
    return Foresight(now, until, sorted(rows), [LeftOut(pk, found[pk]) for pk in sorted(found)])


def planned_together(campaign: Campaign) -> dict[int, Campaign]:
    """This one, and all running campaigns of its account: they share mailboxes and caps."""
    rows = Campaign.objects.alive().filter(Q(status=Campaign.Status.STARTED) | Q(pk=campaign.pk))
    parts = ("steps", "mailboxes__account", "linkedin_accounts__account")
    return {one.pk: one for one in rows.select_related("account").prefetch_related(*parts)}


def state_ahead(
    campaigns: dict[int, Campaign], on_the_way: Iterable[Begun], now: datetime
) -> scheduling.State:
    """What the engine plans from, and beyond it whoever waits once what is on its way has arrived."""
    state = placing.state_of(campaigns, now, waiting=())
    known = {one.id for one in state.campaigns}  # one without steps has no plan
    waiting = [*placing.waiting_of(campaigns, now), *followers(state, on_the_way, now)]
    return replace(state, waiting=[one for one in waiting if one.campaign_id in known])


def followers(state: scheduling.State, on_the_way: Iterable[Begun], now: datetime) -> Iterator[Waiting]:
    """What a person has to do counts as done when it is due, and late work as done now."""
    campaigns = {one.id: one for one in state.campaigns}
    senders = {(one.via, one.id): one for one in state.senders}
    moments = {
        one.enrolment_id: (one, one.due_at if one.state in SETTLED else max(now, one.due_at))
        for one in on_the_way
        if one.state != Message.State.AMBIGUOUS
    }
    places = Enrolment.objects.filter(campaign__in=campaigns, state=Enrolment.State.IN_FLIGHT)
    for waiting in as_waiting(places, with_domains=state.account.domain_cap is not None):
        message, at = moments.get(waiting.enrolment_id, (None, now))
        if message is None or message.step_number != waiting.step_number:
            continue
        sender = senders.get((via_of(message.channel), sender_of(message)))
        if following := campaigns[waiting.campaign_id].following(waiting, at, sender):
            yield following


def row_of(message: Begun) -> Row:
    via, sender = via_of(message.channel), sender_of(message)
    return Row(message.due_at, message.enrolment_id, message.step_number, via, sender, message.variant, True)


def sender_of(message: Begun) -> int | None:
    return message.mailbox_id or message.linkedin_id


def unserved(
    campaign: Campaign, plan: scheduling.Plan, mine: Mapping[int, Waiting], served: set[int]
) -> dict[int, Reason]:
    """Who waits and gets nothing in the plan, or never gets the rest."""
    found, waits = {}, set()
    for left in plan.left_over():
        waits.add(left.enrolment_id)
        if left.enrolment_id in mine and (left.until is None or left.enrolment_id not in served):
            found[left.enrolment_id] = reason_of(left, campaign, mine[left.enrolment_id])
    passed_over = mine.keys() - served - waits
    return found | dict.fromkeys(passed_over, Reason("condition", CODES["condition"]))


def standing(campaign: Campaign, on_the_way: Mapping[int, Begun]) -> Iterator[tuple[int, Reason]]:
    """Who is held where they stand. Somebody who had every step is not left out."""
    known = [Enrolment.State.FINISHED]
    if campaign.steps.all():
        known.append(Enrolment.State.WAITING)  # the plan says what becomes of them
    places = Enrolment.objects.filter(campaign=campaign).exclude(state__in=known)
    for place in map(Place._make, places.values_list(*COLUMNS)):
        reason = reason_of_place(place, on_the_way.get(place.id))
        yield place.id, reason or Reason("no_step", "the campaign has no steps")
