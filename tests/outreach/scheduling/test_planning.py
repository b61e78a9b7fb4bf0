from collections import Counter
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest

from outreach.scheduling import Hold, LeftOver, Schedule, State, plan
from tests.outreach.scheduling.builders import (
    ALL_DAY,
    PARIS,
    SANTIAGO,
    brief,
    local,
    make_campaign,
    make_mailbox,
    make_state,
    make_step,
    make_waiting,
    utc,
)

MONDAY = utc("2026-01-05T09:00")
DAY = timedelta(days=1)


def test_a_sequence_runs_through_its_steps():
    steps = [make_step(1), make_step(2, days=3), make_step(3, business_days=2, hours=1)]
    state = make_state([make_waiting(1, MONDAY)], steps=steps)

    planned = plan(state, MONDAY, MONDAY + 30 * DAY)

    assert brief(planned.slots) == [(1, 1, "01-05 09:00"), (1, 2, "01-08 09:00"), (1, 3, "01-12 10:00")]
    assert [slot.sender_id for slot in planned.slots] == [7, 7, 7]
    assert list(planned.left_over()) == []


def test_the_first_second_belongs_to_the_plan_and_the_last_does_not():
    waiting = [make_waiting(1, MONDAY), make_waiting(2, MONDAY + DAY)]

    planned = plan(make_state(waiting), MONDAY, MONDAY + DAY)

    assert brief(planned.slots) == [(1, 1, "01-05 09:00")]


def test_what_was_due_long_ago_goes_now():
    state = make_state([make_waiting(1, MONDAY - 9 * DAY)])

    assert brief(plan(state, MONDAY, MONDAY + DAY).slots) == [(1, 1, "01-05 09:00")]


def test_the_order_is_follow_ups_then_due_then_enrolment():
    steps = [make_step(1), make_step(2, days=1)]
    early, late = MONDAY - 2 * DAY, MONDAY - DAY
    waiting = [
        make_waiting(1, late),
        make_waiting(4, early),
        make_waiting(3, early),
        make_waiting(9, late, step_number=2, mailbox_id=7),
    ]
    state = make_state(waiting, steps=steps, mailboxes=[make_mailbox(gap_seconds=3600)])

    planned = plan(state, MONDAY, MONDAY + timedelta(hours=4))

    assert [slot.enrolment_id for slot in planned.slots] == [9, 3, 4, 1]


def test_a_gap_separates_the_mails_of_a_mailbox_and_counts_from_its_last_slot():
    mailbox = make_mailbox(gap_seconds=90, free_at=MONDAY + timedelta(seconds=60))
    state = make_state([make_waiting(number, MONDAY) for number in (1, 2)], mailboxes=[mailbox])

    planned = plan(state, MONDAY, MONDAY + DAY)

    assert [slot.at for slot in planned.slots] == [
        MONDAY + timedelta(seconds=60),
        MONDAY + timedelta(seconds=150),
    ]


def test_a_mailbox_cap_starts_anew_at_midnight_of_the_mailbox():
    mailbox = make_mailbox(zone=SANTIAGO, daily_cap=2)
    state = make_state([make_waiting(number, MONDAY) for number in range(5)], mailboxes=[mailbox])

    planned = plan(state, MONDAY, MONDAY + 9 * DAY)

    midnight = [local(f"2026-01-0{day}T00:00", SANTIAGO) for day in (6, 7)]
    assert [slot.at for slot in planned.slots] == [MONDAY, MONDAY, midnight[0], midnight[0], midnight[1]]


def test_a_campaign_cap_starts_anew_at_midnight_of_the_campaign():
    schedule = Schedule(PARIS, ALL_DAY)
    waiting = [make_waiting(number, MONDAY) for number in range(3)]
    state = make_state(waiting, schedule=schedule, daily_cap=2, used={date(2026, 1, 5): 1})

    planned = plan(state, MONDAY, MONDAY + 9 * DAY)

    midnight = local("2026-01-06T00:00", PARIS)
    assert [slot.at for slot in planned.slots] == [MONDAY, midnight, midnight]


def test_what_is_used_already_counts():
    mailbox = make_mailbox(daily_cap=5, used={date(2026, 1, 5): 4})
    state = make_state([make_waiting(number, MONDAY) for number in (1, 2)], mailboxes=[mailbox])

    assert brief(plan(state, MONDAY, MONDAY + DAY).slots) == [(1, 1, "01-05 09:00"), (2, 1, "01-06 00:00")]


def test_follow_ups_take_the_cap_before_first_mails():
    steps = [make_step(1), make_step(2, days=1)]
    waiting = [make_waiting(number, MONDAY) for number in range(1, 5)]
    nine_o_clock = Schedule(ZoneInfo("UTC"), [[(540, 600)]] * 7)
    mailboxes = [make_mailbox(daily_cap=2)]
    state = make_state(waiting, mailboxes=mailboxes, steps=steps, schedule=nine_o_clock)

    planned = plan(state, MONDAY, MONDAY + 9 * DAY)

    by_day = [(slot.at.day, slot.enrolment_id, slot.step_number) for slot in planned.slots]
    assert by_day == [(5, 1, 1), (5, 2, 1), (6, 1, 2), (6, 2, 2), (7, 3, 1), (7, 4, 1), (8, 3, 2), (8, 4, 2)]


def test_a_first_mail_goes_to_the_mailbox_with_most_left_of_its_day():
    mailboxes = [make_mailbox(1, daily_cap=5), make_mailbox(2, daily_cap=9, used={date(2026, 1, 5): 6})]
    waiting = [make_waiting(number, MONDAY) for number in range(8)]
    state = make_state(waiting, mailboxes=mailboxes, mailbox_ids=[1, 2])

    planned = plan(state, MONDAY, MONDAY + timedelta(hours=1))

    senders = [slot.sender_id for slot in planned.slots]
    assert senders[:2] == [1, 1]
    assert Counter(senders) == {1: 5, 2: 3}


def test_equal_mailboxes_share_first_mails_evenly_whatever_order_they_are_given_in():
    waiting = [make_waiting(number, MONDAY) for number in range(40)]
    mailboxes = [make_mailbox(number, daily_cap=10) for number in range(1, 5)]

    forth = plan(make_state(waiting, mailboxes=mailboxes, mailbox_ids=[1, 2, 3, 4]), MONDAY, MONDAY + DAY)
    back = plan(
        make_state(waiting[::-1], mailboxes=mailboxes[::-1], mailbox_ids=[4, 3, 2, 1]), MONDAY, MONDAY + DAY
    )

    assert Counter(slot.sender_id for slot in forth.slots) == {1: 10, 2: 10, 3: 10, 4: 10}
    assert [slot.sender_id for slot in forth.slots[:8]] != [1, 2, 3, 4] * 2
    assert forth.slots == back.slots


def test_a_contact_keeps_its_sender_even_when_another_is_free():
    steps = [make_step(1), make_step(2, hours=1), make_step(3, hours=1)]
    mailboxes = [make_mailbox(1, daily_cap=2), make_mailbox(2, daily_cap=90, used={date(2026, 1, 5): 89})]
    state = make_state([make_waiting(1, MONDAY)], mailboxes=mailboxes, mailbox_ids=[1, 2], steps=steps)

    planned = plan(state, MONDAY, MONDAY + 2 * DAY)

    assert [slot.sender_id for slot in planned.slots] == [1, 1, 1]
    assert brief(planned.slots)[2] == (1, 3, "01-06 00:00")


def test_two_campaigns_share_a_mailbox_in_the_order_of_what_is_due():
    campaigns = [make_campaign(id=1), make_campaign(id=2, daily_cap=1)]
    waiting = [make_waiting(number, MONDAY, campaign_id=1 + number % 2) for number in range(1, 5)]
    mailbox = make_mailbox(daily_cap=3)

    planned = plan(State(campaigns, [mailbox], waiting), MONDAY, MONDAY + timedelta(hours=1))

    assert [slot.enrolment_id for slot in planned.slots] == [1, 2, 4]


def test_each_slot_names_the_variant_that_its_step_draws():
    step = make_step(variants=[("a", 1), ("b", 1)])
    state = make_state([make_waiting(number, MONDAY) for number in range(20)], steps=[step])

    planned = plan(state, MONDAY, MONDAY + DAY)

    assert [slot.variant for slot in planned.slots] == [
        step.variant_for(b"seed", number) for number in range(20)
    ]
    assert {slot.variant for slot in planned.slots} == {"a", "b"}


def test_a_follow_up_without_delay_goes_once_all_that_could_come_before_it_is_written_down():
    state = make_state([make_waiting(1, MONDAY)], steps=[make_step(1), make_step(2)])

    assert brief(plan(state, MONDAY, MONDAY + DAY).slots) == [(1, 1, "01-05 09:00"), (1, 2, "01-05 09:15")]


def test_slots_are_utc_and_fall_on_whole_seconds():
    state = make_state([make_waiting(1, local("2026-01-05T10:00:00.250", PARIS))])

    (slot,) = plan(state, MONDAY - DAY, MONDAY + DAY).slots

    assert slot.at == utc("2026-01-05T09:00:01")
    assert slot.at.tzinfo is UTC


NIGHT = utc("2026-01-05T20:00")
OFFICE = Schedule(ZoneInfo("UTC"), [[(540, 1020)]] * 7)
USED_UP = {date(2026, 1, 5): 4}


@pytest.mark.parametrize(
    ("campaign", "mailbox", "waiting", "expected"),
    [
        ({}, {}, {"due": NIGHT + DAY}, (Hold.NOT_DUE, "is due at 2026-01-06 20:00 UTC", "2026-01-06T20:00")),
        (
            {"schedule": OFFICE},
            {},
            {},
            (Hold.OUTSIDE_WINDOW, "campaign 1 opens next at the time shown", "2026-01-06T09:00"),
        ),
        (
            {"daily_cap": 4, "used": USED_UP},
            {},
            {},
            (Hold.CAMPAIGN_CAP, "campaign 1 has used its 4 of the day", "2026-01-06T00:00"),
        ),
        (
            {},
            {"daily_cap": 4, "used": USED_UP},
            {},
            (Hold.MAILBOX_CAP, "mailbox 7 has used the whole daily cap", "2026-01-06T00:00"),
        ),
        (
            {},
            {"gap_seconds": 7200, "free_at": NIGHT + timedelta(hours=2)},
            {"mailbox_id": 7},
            (Hold.MAILBOX_GAP, "mailbox 7 has to wait between two mails", "2026-01-05T22:00"),
        ),
        (
            {"schedule": Schedule(PARIS, ALL_DAY, ends_on=date(2026, 1, 4))},
            {},
            {},
            (Hold.ENDED, "campaign 1 has no window left until its last day, 2026-01-04", None),
        ),
        (
            {"schedule": Schedule(PARIS, ALL_DAY, ends_on=date(2026, 1, 8))},
            {},
            {"due": utc("2026-01-08T23:00")},
            (Hold.ENDED, "campaign 1 has no window left until its last day, 2026-01-08", None),
        ),
        (
            {},
            {},
            {"mailbox_id": 8},
            (Hold.NO_MAILBOX, "campaign 1 does not send from mailbox 8 now", None),
        ),
        (
            {"mailbox_ids": []},
            {},
            {},
            (Hold.NO_MAILBOX, "campaign 1 does not send from a mailbox now", None),
        ),
        ({}, {}, {"step_number": 5}, (Hold.NO_STEP, "campaign 1 has steps 1, not 5", None)),
    ],
)
def test_who_is_left_over_learns_why(campaign, mailbox, waiting, expected):
    code, detail, until = expected
    row = make_waiting(3, **{"due": NIGHT} | waiting)
    state = make_state([row], mailboxes=[make_mailbox(**mailbox)], **campaign)

    planned = plan(state, NIGHT, NIGHT + timedelta(hours=1))

    assert planned.slots == []
    assert list(planned.left_over()) == [LeftOver(3, code, detail, utc(until) if until else None)]


def test_those_behind_a_spent_cap_are_told_so_in_their_order():
    waiting = [make_waiting(number, MONDAY) for number in (3, 1, 2)]
    mailboxes = [make_mailbox(7, daily_cap=1), make_mailbox(8, daily_cap=0)]

    planned = plan(
        make_state(waiting, mailboxes=mailboxes, mailbox_ids=[7, 8]), MONDAY, MONDAY + timedelta(hours=1)
    )

    detail = "mailboxes 7, 8 have used the whole daily cap"
    assert list(planned.left_over()) == [
        LeftOver(number, Hold.MAILBOX_CAP, detail, utc("2026-01-06T00:00")) for number in (2, 3)
    ]


def test_a_cap_of_zero_sends_nothing():
    state = make_state([make_waiting(1, MONDAY)], mailboxes=[make_mailbox(daily_cap=0)])

    assert plan(state, MONDAY, MONDAY + 400 * DAY).slots == []


def test_a_plan_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="must come after now"):
        plan(make_state([]), MONDAY, MONDAY)


def test_an_enrolment_of_an_unknown_campaign_is_refused():
    state = make_state([make_waiting(4, MONDAY, campaign_id=2)])

    with pytest.raises(
        ValueError, match=r"enrolment 4 waits in campaign 2, but the state has campaigns \[1\]"
    ):
        plan(state, MONDAY, MONDAY + DAY)
