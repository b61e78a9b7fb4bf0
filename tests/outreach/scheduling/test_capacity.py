"""Ramp-up, gaps with jitter, and the caps that all mails of an account share."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from outreach.scheduling import Account, Hold, LeftOver, PutOff, Ramp, pause_after, plan
from tests.outreach.scheduling.builders import (
    PARIS,
    brief,
    local,
    make_mailbox,
    make_state,
    make_waiting,
    utc,
)

MONDAY = utc("2026-01-05T09:00")
DAY = timedelta(days=1)


def crowd(count: int, **given):
    return [make_waiting(number, MONDAY, **given) for number in range(1, count + 1)]


def test_a_new_mailbox_sends_more_each_day_up_to_its_limit():
    mailbox = make_mailbox(daily_cap=5, ramp=Ramp(date(2026, 1, 5), first=1, by=2))

    slots = plan(make_state(crowd(14), mailboxes=[mailbox]), MONDAY, MONDAY + 9 * DAY).slots

    days = [slot.at.day for slot in slots]
    assert [days.count(day) for day in (5, 6, 7, 8)] == [1, 3, 5, 5]


@pytest.mark.parametrize(("day", "cap"), [("2026-01-01", 4), ("2026-01-05", 4), ("2026-01-08", 13)])
def test_a_ramp_begins_on_its_first_day(day, cap):
    assert Ramp(date(2026, 1, 5), first=4, by=3).cap_on(date.fromisoformat(day).toordinal()) == cap


def test_a_gap_is_longer_by_what_the_seed_of_its_slot_says():
    mailbox = make_mailbox(gap_seconds=60, jitter_seconds=30)

    slots = plan(make_state(crowd(20), mailboxes=[mailbox]), MONDAY, MONDAY + DAY).slots

    gaps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(slots)]
    assert gaps == [pause_after(60, 30, b"seed", number, 1) for number in range(1, 20)]
    assert min(gaps) >= 60
    assert max(gaps) <= 90
    assert len(set(gaps)) > 5


def test_the_mails_of_an_account_have_a_cap_by_its_own_days():
    account = Account(PARIS, daily_cap=2, used={date(2026, 1, 5): 1})

    planned = plan(make_state(crowd(4), account=account), MONDAY, MONDAY + timedelta(hours=15))

    midnight = local("2026-01-06T00:00", PARIS)
    assert [slot.at for slot in planned.slots] == [MONDAY, midnight, midnight]
    assert list(planned.left_over()) == [
        LeftOver(4, Hold.ACCOUNT_CAP, "the account has used its mails of the day", midnight + DAY)
    ]


def test_a_domain_that_is_full_waits_for_the_next_day_and_keeps_nobody_else_waiting():
    account = Account(domain_cap=1)
    waiting = [*crowd(3, domain="big.example"), make_waiting(9, MONDAY, domain="other.example")]

    planned = plan(make_state(waiting, account=account), MONDAY, MONDAY + 2 * DAY)

    assert brief(planned.slots) == [
        (1, 1, "01-05 09:00"),
        (9, 1, "01-05 09:00"),
        (2, 1, "01-06 00:00"),
        (3, 1, "01-07 00:00"),
    ]


def test_whoever_is_put_off_is_named_with_the_next_day():
    account = Account(PARIS, domain_cap=1)

    planned = plan(
        make_state(crowd(2, domain="big.example"), account=account), MONDAY, MONDAY + timedelta(hours=1)
    )

    midnight = local("2026-01-06T00:00", PARIS)
    assert list(planned.put_off()) == [PutOff(2, midnight)]
    assert list(planned.left_over()) == [
        LeftOver(2, Hold.DOMAIN_CAP, "big.example gets no more mails from this account that day", midnight)
    ]


def test_a_domain_that_is_full_already_gets_nothing_today():
    account = Account(domain_cap=3, used_by_domain={"big.example": {date(2026, 1, 5): 3}})

    slots = plan(make_state(crowd(1, domain="big.example"), account=account), MONDAY, MONDAY + DAY).slots

    assert brief(slots) == [(1, 1, "01-06 00:00")]


def test_a_domain_cap_of_zero_is_refused():
    with pytest.raises(ValueError, match="domain_cap is 0; give 1 or more"):
        Account(domain_cap=0)
