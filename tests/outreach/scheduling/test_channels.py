"""Steps by mail, on LinkedIn and by hand; conditions; who goes first."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from outreach.scheduling import Account, Hold, LeftOver, Passed, Schedule, Via, plan
from tests.outreach.scheduling.builders import (
    brief,
    make_mailbox,
    make_profile,
    make_state,
    make_step,
    make_waiting,
    utc,
)

MONDAY = utc("2026-01-05T09:00")
DAY = timedelta(days=1)
MAIL_PROFILE_CALL = [make_step(1), make_step(2, via=Via.LINKEDIN, days=1), make_step(3, via=Via.HAND, days=1)]


def test_each_step_goes_its_own_way():
    state = make_state(
        [make_waiting(1, MONDAY)],
        steps=MAIL_PROFILE_CALL,
        mailboxes=[make_mailbox(7), make_profile(3)],
        linkedin_ids=[3],
    )

    planned = plan(state, MONDAY, MONDAY + 9 * DAY)

    assert [(slot.via, slot.sender_id) for slot in planned.slots] == [
        (Via.MAIL, 7),
        (Via.LINKEDIN, 3),
        (Via.HAND, None),
    ]


def test_a_profile_and_a_mailbox_with_the_same_id_are_two():
    state = make_state(
        [make_waiting(1, MONDAY)],
        steps=MAIL_PROFILE_CALL,
        mailboxes=[make_mailbox(7, daily_cap=0), make_profile(7)],
        linkedin_ids=[7],
    )

    assert plan(state, MONDAY, MONDAY + 9 * DAY).slots == []


def test_a_mailbox_stays_with_its_contact_over_steps_of_other_channels():
    steps = [make_step(1), make_step(2, via=Via.LINKEDIN, hours=1), make_step(3, hours=1)]
    boxes = [make_mailbox(1, daily_cap=9), make_mailbox(2, daily_cap=10), make_profile(3)]
    state = make_state(
        [make_waiting(1, MONDAY, mailbox_id=1)],
        steps=steps,
        mailboxes=boxes,
        mailbox_ids=[1, 2],
        linkedin_ids=[3],
    )

    assert [slot.sender_id for slot in plan(state, MONDAY, MONDAY + DAY).slots] == [1, 3, 1]


def test_only_mails_use_the_caps_of_campaign_and_account():
    steps = [make_step(1, via=Via.HAND)]
    waiting = [make_waiting(number, MONDAY) for number in range(3)]
    state = make_state(waiting, steps=steps, daily_cap=1, account=Account(daily_cap=1, domain_cap=1))

    assert len(plan(state, MONDAY, MONDAY + DAY).slots) == 3


def test_a_linkedin_account_has_a_cap_of_its_own():
    steps = [make_step(1, via=Via.LINKEDIN)]
    waiting = [make_waiting(number, MONDAY) for number in (1, 2)]
    state = make_state(waiting, steps=steps, mailboxes=[make_profile(3, daily_cap=1)], linkedin_ids=[3])

    planned = plan(state, MONDAY, MONDAY + timedelta(hours=1))

    assert brief(planned.slots) == [(1, 1, "01-05 09:00")]
    assert list(planned.left_over()) == [
        LeftOver(
            2, Hold.LINKEDIN_CAP, "LinkedIn account 3 has used the whole daily cap", utc("2026-01-06T00:00")
        )
    ]


def test_without_a_linkedin_account_nobody_is_found_on_linkedin():
    state = make_state([make_waiting(1, MONDAY)], steps=[make_step(1, via=Via.LINKEDIN)])

    assert list(plan(state, MONDAY, MONDAY + DAY).left_over()) == [
        LeftOver(1, Hold.NO_LINKEDIN_ACCOUNT, "campaign 1 does not send from a LinkedIn account now", None)
    ]


def test_what_a_person_does_keeps_to_the_windows():
    office = Schedule(ZoneInfo("UTC"), [[(600, 720)]] * 7)
    state = make_state([make_waiting(1, MONDAY)], steps=[make_step(1, via=Via.HAND)], schedule=office)

    assert brief(plan(state, MONDAY, MONDAY + DAY).slots) == [(1, 1, "01-05 10:00")]


def test_a_step_whose_condition_is_not_fulfilled_is_passed_over_when_it_falls_due():
    steps = [make_step(1), make_step(2, condition="connected", days=1), make_step(3, days=2)]
    waiting = [make_waiting(1, MONDAY), make_waiting(2, MONDAY, facts=frozenset({"connected"}))]

    planned = plan(make_state(waiting, steps=steps), MONDAY, MONDAY + 9 * DAY)

    assert [slot for slot in brief(planned.slots) if slot[0] == 1] == [
        (1, 1, "01-05 09:00"),
        (1, 3, "01-08 09:00"),  # its two days count from when the second step was due
    ]
    assert [slot[1] for slot in brief(planned.slots) if slot[0] == 2] == [1, 2, 3]
    assert planned.passed == [Passed(1, 2, MONDAY + DAY)]


def test_passing_over_the_last_step_ends_the_sequence():
    steps = [make_step(1), make_step(2, condition="replied", days=1)]

    planned = plan(make_state([make_waiting(1, MONDAY)], steps=steps), MONDAY, MONDAY + 9 * DAY)

    assert brief(planned.slots) == [(1, 1, "01-05 09:00")]
    assert list(planned.left_over()) == []


def test_a_condition_is_not_judged_before_its_time():
    steps = [make_step(1), make_step(2, condition="replied", days=5)]

    planned = plan(make_state([make_waiting(1, MONDAY)], steps=steps), MONDAY, MONDAY + DAY)

    assert planned.passed == []
    assert [(one.code, one.until) for one in planned.left_over()] == [(Hold.NOT_DUE, MONDAY + 5 * DAY)]


@pytest.mark.parametrize(("new_first", "order"), [(False, [9, 1]), (True, [1, 9])])
def test_a_campaign_says_whether_new_contacts_or_follow_ups_come_first(new_first, order):
    waiting = [make_waiting(1, MONDAY), make_waiting(9, MONDAY, step_number=2, mailbox_id=7)]
    state = make_state(
        waiting,
        steps=[make_step(1), make_step(2, days=1)],
        mailboxes=[make_mailbox(gap_seconds=60)],
        new_first=new_first,
    )

    planned = plan(state, MONDAY, MONDAY + timedelta(hours=1))

    assert [slot.enrolment_id for slot in planned.slots] == order
