"""Windows on the clock of the campaign, the sender or the contact; days off; days on which clocks change."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from outreach.scheduling import Delay, Hold, Schedule, Via, plan
from tests.outreach.scheduling.builders import (
    PARIS,
    SANTIAGO,
    local,
    make_mailbox,
    make_state,
    make_step,
    make_waiting,
    utc,
)

LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
SUNDAY = utc("2026-01-04T00:00")
DAY = timedelta(days=1)
AT_NINE = Schedule(PARIS, [[(9 * 60, 10 * 60)]] * 7)


def times(state, begin=SUNDAY, days=4):
    return [slot.at for slot in plan(state, begin, begin + days * DAY).slots]


def test_each_mailbox_may_have_windows_on_its_own_clock():
    boxes = [make_mailbox(1, zone=SANTIAGO), make_mailbox(2, zone=PARIS)]
    waiting = [make_waiting(1, SUNDAY, mailbox_id=1), make_waiting(2, SUNDAY, mailbox_id=2)]
    state = make_state(waiting, mailboxes=boxes, mailbox_ids=[1, 2], schedule=AT_NINE, window_zone="mailbox")

    assert times(state) == [local("2026-01-04T09:00", PARIS), local("2026-01-04T09:00", SANTIAGO)]


def test_a_first_mail_goes_from_the_mailbox_whose_window_is_open():
    boxes = [make_mailbox(1, zone=SANTIAGO, daily_cap=99), make_mailbox(2, zone=PARIS, daily_cap=1)]
    state = make_state(
        [make_waiting(1, SUNDAY)],
        mailboxes=boxes,
        mailbox_ids=[1, 2],
        schedule=AT_NINE,
        window_zone="mailbox",
    )

    [slot] = plan(state, SUNDAY, SUNDAY + DAY).slots

    assert (slot.sender_id, slot.at) == (2, local("2026-01-04T09:00", PARIS))


def test_what_nobody_sends_keeps_to_the_clock_of_the_campaign():
    state = make_state(
        [make_waiting(1, SUNDAY, mailbox_id=7)],
        mailboxes=[make_mailbox(zone=SANTIAGO)],
        steps=[make_step(1, via=Via.HAND)],
        schedule=AT_NINE,
        window_zone="mailbox",
    )

    assert times(state) == [local("2026-01-04T09:00", PARIS)]


def test_each_contact_may_have_windows_on_their_own_clock_and_else_on_the_campaigns():
    waiting = [
        make_waiting(1, SUNDAY, zone=SANTIAGO),
        make_waiting(2, SUNDAY, zone=LORD_HOWE),
        make_waiting(3, SUNDAY),
    ]
    state = make_state(waiting, schedule=AT_NINE, window_zone="contact")

    assert times(state) == [
        local("2026-01-04T09:00", PARIS),
        local("2026-01-04T09:00", SANTIAGO),
        local("2026-01-05T09:00", LORD_HOWE),
    ]


@pytest.mark.parametrize(
    ("zone", "begin", "following"),
    [
        (PARIS, "2026-03-28T09:30", "2026-03-29T09:30"),
        (PARIS, "2026-10-24T09:30", "2026-10-25T09:30"),
        (LORD_HOWE, "2026-10-03T09:30", "2026-10-04T09:30"),  # half an hour is put forward
        (LORD_HOWE, "2026-04-04T09:30", "2026-04-05T09:30"),
        (SANTIAGO, "2026-09-05T00:00", "2026-09-06T01:00"),  # there is no midnight
    ],
)
def test_a_days_delay_keeps_the_time_on_the_contacts_clock(zone, begin, following):
    due = local(begin, zone)
    state = make_state(
        [make_waiting(1, due, zone=zone)], steps=[make_step(1), make_step(2, days=1)], window_zone="contact"
    )

    assert times(state, due) == [due, local(following, zone)]


def test_there_is_no_window_on_a_day_off():
    schedule = Schedule(PARIS, AT_NINE.windows, closed={date(2026, 1, 4), date(2026, 1, 5)})

    assert schedule.next_open(SUNDAY) == local("2026-01-06T09:00", PARIS)


def test_business_days_skip_days_off():
    friday = local("2026-01-02T10:00", PARIS)

    due = Delay(business_days=1).after(friday, PARIS, {date(2026, 1, 5)})

    assert due == local("2026-01-06T10:00", PARIS)


def test_who_waits_on_a_day_off_learns_that_it_is_one():
    schedule = Schedule(PARIS, AT_NINE.windows, closed={date(2026, 1, 4)})
    state = make_state([make_waiting(1, SUNDAY)], schedule=schedule)

    [left] = plan(state, SUNDAY, SUNDAY + timedelta(hours=12)).left_over()

    assert (left.code, left.until) == (Hold.HOLIDAY, local("2026-01-05T09:00", PARIS))


def test_a_campaign_that_has_no_window_but_on_days_off_never_opens():
    class Always:
        def __contains__(self, day):
            return True

    assert Schedule(PARIS, AT_NINE.windows, closed=Always()).next_open(SUNDAY) is None


def test_an_unknown_window_zone_is_refused():
    with pytest.raises(ValueError, match="window_zone is 'recipient'; use one of campaign, mailbox, contact"):
        make_state([], window_zone="recipient")
