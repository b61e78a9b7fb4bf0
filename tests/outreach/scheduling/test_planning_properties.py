"""What holds for every campaign, not only for the ones we thought of."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.scheduling import Slot, State, plan
from outreach.scheduling.sequence import draw
from tests.outreach.scheduling.random_states import local_date, starts_and_states

thorough = settings(deadline=None, max_examples=100)
slow = settings(deadline=None, max_examples=40)
SPAN = timedelta(days=7)


def apply_slots(state: State, slots: list[Slot]) -> State:
    """What the database would hold after these slots, worked out row by row."""
    waiting = {row.enrolment_id: row for row in state.waiting}
    campaigns = {campaign.id: campaign for campaign in state.campaigns}
    mailboxes = {mailbox.id: mailbox for mailbox in state.mailboxes}
    for slot in slots:
        campaign = campaigns[waiting.pop(slot.enrolment_id).campaign_id]
        mailbox = mailboxes[slot.mailbox_id]
        campaigns[campaign.id] = replace(
            campaign, used=one_more(campaign.used, local_date(slot.at, campaign.schedule.zone))
        )
        mailboxes[mailbox.id] = replace(
            mailbox, used=one_more(mailbox.used, local_date(slot.at, mailbox.zone)), last_slot=slot.at
        )
        if follow_up := campaign.follow_up(slot):
            waiting[slot.enrolment_id] = follow_up
    return State(list(campaigns.values()), list(mailboxes.values()), list(waiting.values()))


def one_more(used, day):
    return {**used, day: used.get(day, 0) + 1}


@given(starts_and_states(), st.just(15) | st.integers(20, 2000))
@thorough
def test_planning_in_chunks_equals_planning_at_once(start_and_state, minutes):
    start, state = start_and_state
    at_once = plan(state, start, start + SPAN).slots

    in_chunks, now = [], start
    while now < start + SPAN:
        until = min(now + timedelta(minutes=minutes), start + SPAN)
        slots = plan(state, now, until).slots
        state, now = apply_slots(state, slots), until
        in_chunks += slots

    assert in_chunks == at_once


@given(starts_and_states())
@thorough
def test_no_cap_is_exceeded_no_gap_cut_and_nobody_is_mailed_twice(start_and_state):
    start, state = start_and_state
    campaign_of = {row.enrolment_id: row.campaign_id for row in state.waiting}

    slots = plan(state, start, start + SPAN).slots

    assert max(Counter(slot[:2] for slot in slots).values(), default=1) == 1
    for mailbox in state.mailboxes:
        own = [slot.at for slot in slots if slot.mailbox_id == mailbox.id]
        assert_within_cap(own, mailbox, mailbox.zone)
        times = [mailbox.last_slot, *own] if mailbox.last_slot else own
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert min(gaps, default=SPAN) >= timedelta(seconds=mailbox.gap_seconds)
    for campaign in state.campaigns:
        own = [slot.at for slot in slots if campaign_of[slot.enrolment_id] == campaign.id]
        assert_within_cap(own, campaign, campaign.schedule.zone)


def assert_within_cap(moments, owner, zone):
    for day, count in Counter(local_date(moment, zone) for moment in moments).items():
        assert owner.daily_cap is None or owner.used.get(day, 0) + count <= owner.daily_cap


@given(starts_and_states())
@thorough
def test_everybody_gets_all_their_steps_or_a_reason(start_and_state):
    start, state = start_and_state
    steps = {campaign.id: len(campaign.steps) for campaign in state.campaigns}
    wanted = {row.enrolment_id: steps[row.campaign_id] - row.step_number + 1 for row in state.waiting}

    planned = plan(state, start, start + SPAN)

    got = Counter(slot.enrolment_id for slot in planned.slots)
    short = [enrolment_id for enrolment_id, count in wanted.items() if got[enrolment_id] < count]
    reasons = list(planned.left_over())
    assert sorted(reason.enrolment_id for reason in reasons) == short
    assert all(reason.until is None or reason.until >= start + SPAN for reason in reasons)


@given(starts_and_states(shortest_delay=1))
@slow
def test_a_plan_equals_the_rules_read_minute_by_minute(start_and_state):
    start, state = start_and_state
    span = timedelta(days=4)

    slots = plan(state, start, start + span).slots

    assert slots == by_the_minute(state, start, span)


def by_the_minute(state: State, start, span) -> list[Slot]:
    slots, now = [], start
    while now < start + span:
        while (slot := next_slot(state, now)) is not None:
            state = apply_slots(state, [slot])
            slots.append(slot)
        now += timedelta(minutes=1)
    return slots


def next_slot(state: State, now) -> Slot | None:
    campaigns = {campaign.id: campaign for campaign in state.campaigns}
    mailboxes = {mailbox.id: mailbox for mailbox in state.mailboxes if is_free(mailbox, now)}
    due = [row for row in state.waiting if row.due <= now and is_open(campaigns[row.campaign_id], now)]
    for row in sorted(due, key=lambda row: (row.step_number == 1, row.due, row.enrolment_id)):
        campaign = campaigns[row.campaign_id]
        allowed = [row.mailbox_id] if row.mailbox_id else sorted(campaign.mailbox_ids)
        free = [mailboxes[id_] for id_ in allowed if id_ in mailboxes]
        if free:
            mailbox = choose(free, campaign, row, now)
            variant = campaign.steps[row.step_number - 1].variant_for(campaign.seed, row.enrolment_id)
            return Slot(row.enrolment_id, row.step_number, mailbox.id, variant, now)
    return None


def choose(free, campaign, row, now):
    most = max(left_of(mailbox, mailbox.zone, now) for mailbox in free)
    best = [mailbox for mailbox in free if left_of(mailbox, mailbox.zone, now) == most]
    return best[draw(campaign.seed, row.enrolment_id, row.step_number, "mailbox", below=len(best))]


def left_of(owner, zone, now) -> int:
    cap = 10**9 if owner.daily_cap is None else owner.daily_cap
    return cap - owner.used.get(local_date(now, zone), 0)


def is_free(mailbox, now) -> bool:
    rested = not mailbox.last_slot or now >= mailbox.last_slot + timedelta(seconds=mailbox.gap_seconds)
    return rested and left_of(mailbox, mailbox.zone, now) > 0


def is_open(campaign, now) -> bool:
    """Straight from the wall clock: its date, weekday and minute, and not on a second pass."""
    schedule = campaign.schedule
    local = now.astimezone(schedule.zone)
    minute = local.hour * 60 + local.minute
    return (
        not local.fold
        and (schedule.starts_on is None or schedule.starts_on <= local.date())
        and (schedule.ends_on is None or local.date() <= schedule.ends_on)
        and any(opens <= minute < closes for opens, closes in schedule.windows[local.weekday()])
        and left_of(campaign, schedule.zone, now) > 0
    )
