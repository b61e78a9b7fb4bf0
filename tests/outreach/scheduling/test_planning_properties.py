"""What holds for every campaign, not only for the ones we thought of."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.scheduling import Slot, State, Via, plan
from tests.outreach.scheduling.random_states import local_date, starts_and_states
from tests.outreach.scheduling.row_by_row import Rows

thorough = settings(deadline=None, max_examples=40)
slow = settings(deadline=None, max_examples=10)
SPAN = timedelta(days=7)
MINUTE = timedelta(minutes=1)


@given(starts_and_states(), st.just(15) | st.integers(20, 2000))
@thorough
def test_planning_in_chunks_equals_planning_at_once(start_and_state, minutes):
    start, state = start_and_state
    at_once = plan(state, start, start + SPAN)

    slots, passed, now = [], [], start
    while now < start + SPAN:
        until = min(now + timedelta(minutes=minutes), start + SPAN)
        planned = plan(state, now, until)
        rows = Rows(state)
        rows.follow(planned)
        state, now = rows.state(), until
        slots += planned.slots
        passed += planned.passed

    assert slots == at_once.slots
    assert sorted(passed) == sorted(at_once.passed)


@given(starts_and_states())
@thorough
def test_no_cap_is_exceeded_no_gap_cut_and_nobody_gets_a_step_twice(start_and_state):
    start, state = start_and_state
    campaign_of = {row.enrolment_id: row.campaign_id for row in state.waiting}
    domain_of = {row.enrolment_id: row.domain for row in state.waiting}

    slots = plan(state, start, start + SPAN).slots

    assert max(Counter(slot[:2] for slot in slots).values(), default=1) == 1
    for sender in state.senders:
        own = [slot.at for slot in slots if (slot.via, slot.sender_id) == (sender.via, sender.id)]
        for day, count in by_day(own, sender).items():
            cap = sender.cap_on(day.toordinal())
            assert cap is None or sender.used.get(day, 0) + count <= cap
        gaps = [later - earlier for earlier, later in pairwise(own)]
        assert min(gaps, default=SPAN) >= timedelta(seconds=sender.gap_seconds)
        assert max(gaps, default=SPAN) >= timedelta(seconds=0)
        assert sender.free_at is None or min(own, default=sender.free_at) >= sender.free_at
    mails = [slot for slot in slots if slot.via is Via.MAIL]
    for campaign in state.campaigns:
        own = [slot.at for slot in mails if campaign_of[slot.enrolment_id] == campaign.id]
        assert_within(campaign.daily_cap, campaign.used, own, campaign.schedule)
    account = state.account
    assert_within(account.daily_cap, account.used, [slot.at for slot in mails], account)
    for domain in set(domain_of.values()):
        own = [slot.at for slot in mails if domain_of[slot.enrolment_id] == domain]
        assert_within(account.domain_cap, account.used_by_domain.get(domain, {}), own, account)


def by_day(moments, owner) -> Counter:
    return Counter(local_date(moment, owner.zone) for moment in moments)


def assert_within(cap, used, moments, owner):
    for day, count in by_day(moments, owner).items():
        assert cap is None or used.get(day, 0) + count <= cap


@given(starts_and_states())
@thorough
def test_everybody_gets_all_their_steps_or_a_reason(start_and_state):
    start, state = start_and_state
    steps = {campaign.id: len(campaign.steps) for campaign in state.campaigns}
    wanted = {row.enrolment_id: steps[row.campaign_id] - row.step_number + 1 for row in state.waiting}

    planned = plan(state, start, start + SPAN)

    got = Counter(one.enrolment_id for one in [*planned.slots, *planned.passed])
    short = [enrolment_id for enrolment_id, count in wanted.items() if got[enrolment_id] < count]
    reasons = list(planned.left_over())
    assert sorted(reason.enrolment_id for reason in reasons) == short
    assert all(reason.until is None or reason.until >= start + SPAN for reason in reasons)


@given(starts_and_states(jitters=[0]))
@slow
def test_a_plan_equals_the_rules_read_minute_by_minute(start_and_state):
    start, state = start_and_state
    span = timedelta(days=2)

    slots = plan(state, start, start + span).slots

    assert slots == by_the_minute(state, start, span)


def by_the_minute(state: State, start, span) -> list[Slot]:
    """Windows, gaps and due times are whole minutes as long as no gap has seconds by chance."""
    rows, slots = Rows(state), []
    for minute in range(span // MINUTE):
        now = start + minute * MINUTE
        rows.pass_over_due(now)
        rows.put_off_full_domains(now)
        while (slot := rows.next_slot(now)) is not None:
            rows.take(slot)
            slots.append(slot)
            rows.put_off_full_domains(now)
    return slots
