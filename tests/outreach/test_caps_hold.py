"""Whoever claims, however many at once and whatever the clock does: no counter goes over its cap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from outreach.claiming import claim_batch
from outreach.models import Campaign, CapCounter, Enrolment, Message
from outreach.planning import plan_account
from pipelime.scope import every_account
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    MailboxFactory,
    SequenceStepFactory,
)
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
SECOND = timedelta(seconds=1)


def wait_in(account, mailboxes, count: int) -> Campaign:
    campaign = CampaignFactory(account=account, status=Campaign.Status.STARTED)
    campaign.mailboxes.set(mailboxes)
    SequenceStepFactory(account=account, campaign=campaign)
    for contact in ContactFactory.create_batch(count, account=account):
        EnrolmentFactory(
            account=account, campaign=campaign, contact=contact, address=contact.email, due_at=NOON
        )
    return campaign


def claim_all(now: datetime) -> int:
    claimed = 0
    while True:
        with every_account():
            batch = claim_batch(now, limit=2)
        if batch is None:
            return claimed
        claimed += len(batch.messages)
        ids = [message.pk for message in batch.messages]
        Message.objects.filter(pk__in=ids).update(state="sent", sent_at=now)


@pytest.mark.parametrize(
    ("lower", "scope"),
    [
        (lambda account: Campaign.objects.update(daily_limit=5), "campaign"),
        (lambda account: change(account, mails_a_day=5), "account"),
        (lambda account: change(account, mails_per_domain_a_day=5), "domain"),
    ],
    ids=["campaign", "account", "domain"],
)
def test_workers_of_several_mailboxes_keep_to_a_cap_that_they_share(account, lower, scope):
    boxes = MailboxFactory.create_batch(3, account=account, daily_limit=20)
    wait_in(account, boxes, 15)
    plan_account(account.pk, NOON)
    lower(account)

    claimed = all_at_once([lambda: claim_all(NOON + SECOND)] * 3, account=account)

    assert sum(claimed) == 5
    assert CapCounter.objects.get(scope__startswith=scope).used == 5
    assert Message.objects.filter(state="queued", due_at__gt=NOON + SECOND).count() == 10


def change(account, **caps: int) -> None:
    account.settings = caps
    account.save()


def test_a_clock_that_goes_back_makes_no_room(account):
    box = MailboxFactory(account=account, daily_limit=3)
    wait_in(account, [box], 9)
    plan_account(account.pk, NOON)
    today = claim_all(NOON + SECOND)

    plan_account(account.pk, NOON - timedelta(hours=5))
    again = claim_all(NOON - timedelta(hours=4))

    assert (today, again) == (3, 0)
    assert CapCounter.objects.get().used == 3


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("Europe/Paris", datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        ("Europe/Paris", datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, tzinfo=UTC), 24),  # and a half
    ],
)
def test_a_day_on_which_clocks_change_has_one_allowance(account, zone, first, hours):
    box = MailboxFactory(account=account, daily_limit=2, time_zone=zone)
    wait_in(account, [box], 6)
    Enrolment.objects.update(due_at=first)

    claimed = 0
    for hour in range(hours):
        now = first + timedelta(hours=hour)
        plan_account(account.pk, now)
        claimed += claim_all(now)

    assert claimed == 2
