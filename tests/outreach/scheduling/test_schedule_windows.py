from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from outreach.scheduling import Schedule
from tests.outreach.scheduling.builders import ALL_DAY, PARIS, SANTIAGO, local, utc

OFFICE = [[(9 * 60, 17 * 60)]] * 5 + [[], []]


def every_day(*windows):
    return [list(windows)] * 7


def open_hours(schedule, day, zone):
    begin = local(f"{day}T00:00", zone)
    end = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=zone)
    spans = schedule.opens_between(begin, end)
    return [
        (f"{opens.astimezone(zone):%H:%M}", (closes - opens) / timedelta(hours=1)) for opens, closes in spans
    ]


def test_a_moment_inside_a_window_is_open():
    schedule = Schedule(PARIS, OFFICE)

    assert schedule.next_open(utc("2026-01-07T10:15")) == utc("2026-01-07T10:15")


def test_the_opening_minute_is_open_and_the_closing_one_is_not():
    schedule = Schedule(PARIS, OFFICE)

    assert schedule.next_open(local("2026-01-07T09:00", PARIS)) == local("2026-01-07T09:00", PARIS)
    assert schedule.next_open(local("2026-01-07T16:59:59", PARIS)) == local("2026-01-07T16:59:59", PARIS)
    assert schedule.next_open(local("2026-01-07T17:00", PARIS)) == local("2026-01-08T09:00", PARIS)


def test_friday_evening_waits_for_monday():
    schedule = Schedule(PARIS, OFFICE)

    assert schedule.next_open(local("2026-01-09T18:00", PARIS)) == local("2026-01-12T09:00", PARIS)


def test_a_window_until_24_00_joins_the_next_day():
    schedule = Schedule(PARIS, every_day((22 * 60, 24 * 60)))

    assert schedule.opens_between(utc("2026-01-07T00:00"), utc("2026-01-08T00:00")) == [
        (utc("2026-01-07T21:00"), utc("2026-01-07T23:00"))
    ]
    assert schedule.next_open(utc("2026-01-07T22:59:59")) == utc("2026-01-07T22:59:59")
    assert schedule.next_open(utc("2026-01-07T23:00")) == utc("2026-01-08T21:00")


def test_a_window_lost_in_the_missing_hour_does_not_open_that_day():
    schedule = Schedule(PARIS, every_day((2 * 60, 3 * 60)))

    assert open_hours(schedule, "2026-03-28", PARIS) == [("02:00", 1.0)]
    assert open_hours(schedule, "2026-03-29", PARIS) == []


def test_a_window_that_begins_in_the_missing_hour_opens_right_after_it():
    schedule = Schedule(PARIS, every_day((2 * 60 + 30, 5 * 60)))

    assert open_hours(schedule, "2026-03-29", PARIS) == [("03:00", 2.0)]


def test_a_window_that_ends_in_the_missing_hour_closes_when_the_clock_jumps():
    schedule = Schedule(PARIS, every_day((60, 2 * 60 + 30)))

    assert open_hours(schedule, "2026-03-29", PARIS) == [("01:00", 1.0)]


def test_an_hour_that_comes_twice_is_open_once():
    schedule = Schedule(PARIS, every_day((2 * 60, 3 * 60)))

    opens = schedule.opens_between(utc("2026-10-25T00:00"), utc("2026-10-25T12:00"))

    assert opens == [(utc("2026-10-25T00:00"), utc("2026-10-25T01:00"))]


def test_a_window_across_the_doubled_hour_keeps_its_length_on_the_clock():
    schedule = Schedule(PARIS, every_day((60, 4 * 60)))

    assert open_hours(schedule, "2026-10-25", PARIS) == [("01:00", 2.0), ("03:00", 1.0)]


def test_the_second_pass_of_the_doubled_hour_waits_for_the_clock_to_move_on():
    schedule = Schedule(PARIS, every_day((0, 24 * 60)))

    assert schedule.next_open(local("2026-10-25T02:20", PARIS, fold=1)) == local("2026-10-25T03:00", PARIS)


def test_a_missing_midnight_opens_the_day_at_one():
    schedule = Schedule(SANTIAGO, every_day((0, 2 * 60)))

    assert open_hours(schedule, "2026-09-05", SANTIAGO) == [("00:00", 2.0)]
    assert schedule.opens_between(utc("2026-09-06T03:00"), utc("2026-09-06T12:00")) == [
        (utc("2026-09-06T04:00"), utc("2026-09-06T05:00"))
    ]


def test_a_last_hour_of_the_day_that_comes_twice_is_open_once():
    schedule = Schedule(SANTIAGO, every_day((22 * 60, 24 * 60)))

    opens = schedule.opens_between(utc("2026-04-04T20:00"), utc("2026-04-05T12:00"))

    assert opens == [(utc("2026-04-05T01:00"), utc("2026-04-05T03:00"))]


def test_a_leap_day_is_a_day():
    schedule = Schedule(PARIS, every_day((9 * 60, 10 * 60)))

    assert schedule.next_open(local("2028-02-28T11:00", PARIS)) == local("2028-02-29T09:00", PARIS)
    assert schedule.next_open(local("2028-02-29T11:00", PARIS)) == local("2028-03-01T09:00", PARIS)


def test_a_day_that_the_zone_skipped_does_not_open():
    apia = ZoneInfo("Pacific/Apia")
    schedule = Schedule(apia, every_day((9 * 60, 10 * 60)))

    assert schedule.next_open(local("2011-12-29T11:00", apia)) == local("2011-12-31T09:00", apia)


def test_nothing_opens_before_the_first_day_or_after_the_last():
    schedule = Schedule(PARIS, ALL_DAY, starts_on=date(2026, 1, 7), ends_on=date(2026, 1, 8))

    assert schedule.next_open(utc("2026-01-01T00:00")) == local("2026-01-07T00:00", PARIS)
    assert schedule.next_open(local("2026-01-08T23:59:59", PARIS)) == local("2026-01-08T23:59:59", PARIS)
    assert schedule.next_open(local("2026-01-09T00:00", PARIS)) is None


def test_a_schedule_without_windows_never_opens():
    assert Schedule(PARIS, [[]] * 7).next_open(utc("2026-01-01T00:00")) is None


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ([[]] * 5, "windows has 5 lists; give seven"),
        ([[(600, 540)], *[[]] * 6], "windows for Monday: 10:00-09:00 must open before it closes"),
        ([[], [(540, 1500)], *[[]] * 5], "windows for Tuesday: 09:00-25:00"),
        ([[(540, 720), (660, 800)], *[[]] * 6], "09:00-12:00 and 11:00-13:20 overlap"),
    ],
)
def test_windows_that_make_no_sense_are_refused(windows, message):
    with pytest.raises(ValueError, match=message):
        Schedule(PARIS, windows)


def test_an_end_before_the_start_is_refused():
    with pytest.raises(ValueError, match="ends_on 2026-01-01 is before starts_on 2026-01-02"):
        Schedule(PARIS, ALL_DAY, starts_on=date(2026, 1, 2), ends_on=date(2026, 1, 1))


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="has no time zone"):
        Schedule(PARIS, ALL_DAY).next_open(utc("2026-01-01T00:00").replace(tzinfo=None))
