"""The server never sees one mail over a cap: two workers, clocks that jump, days on which they change."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from outreach.claiming import claim_batch
from outreach.models import Campaign, CapCounter
from outreach.planning import plan_account
from outreach.sending import send_batch
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

CAP, PEOPLE, LOOKS = 2, 30, 10
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)

Sent = Counter[tuple[str, date]]  # by mailbox and its own calendar day


def work(account, looks: list[datetime]) -> Sent:
    """What a worker does whose clock shows these moments, one after the other."""
    sent: Sent = Counter()
    for now in looks:
        plan_account(account.pk, now)
        with every_account():
            batch = claim_batch(now + SECOND)
        if batch is not None:
            day = now.astimezone(ZoneInfo(batch.mailbox.time_zone)).date()
            sent[batch.mailbox.email, day] += send_batch(batch)
    return sent


def jumping(chance: random.Random, begin: datetime) -> list[datetime]:
    """Forward by and large, with leaps of up to two hours either way, over a day and its neighbours."""
    moment, moments = begin, []
    for _ in range(LOOKS):
        moment += chance.choice([-2, -1, 1, 3, 6, 9]) * HOUR
        moments.append(moment)
    return moments


@pytest.mark.parametrize(
    ("zone", "begin"),
    [
        pytest.param("Europe/Paris", datetime(2026, 3, 28, 22, tzinfo=UTC), id="a_day_of_23_hours"),
        pytest.param("Europe/Paris", datetime(2026, 10, 24, 21, tzinfo=UTC), id="a_day_of_25_hours"),
        pytest.param("America/Santiago", datetime(2026, 4, 4, 2, tzinfo=UTC), id="midnight_comes_twice"),
        pytest.param("America/Santiago", datetime(2026, 9, 5, 3, tzinfo=UTC), id="midnight_is_left_out"),
    ],
)
def test_two_workers_whose_clocks_jump_keep_to_the_cap(account, sink, zone, begin):
    boxes = MailboxFactory.create_batch(
        2, account=account, daily_limit=CAP, time_zone=zone, smtp_port=sink.port
    )
    wait_for_mail(account, boxes, begin)
    chance = random.Random(f"{zone} {begin}")
    clocks = [jumping(chance, begin), jumping(chance, begin)]

    one, other = all_at_once([lambda looks=looks: work(account, looks) for looks in clocks])
    sink.finish()

    sent = one + other
    assert max(sent.values()) == CAP
    assert Counter(arrival.envelope_from for arrival in sink.arrivals) == by_mailbox(sent)
    assert sum(CapCounter.objects.filter(scope__startswith="mailbox").values_list("used", flat=True)) == len(
        sink.arrivals
    )


def by_mailbox(sent: Sent) -> Counter[str]:
    found: Counter[str] = Counter()
    for (mailbox, _), count in sent.items():
        found[mailbox] += count
    return found


def wait_for_mail(account, boxes, begin: datetime) -> None:
    campaign = CampaignFactory(account=account, status=Campaign.Status.STARTED)
    campaign.mailboxes.set(boxes)
    SequenceStepFactory(account=account, campaign=campaign)
    for contact in ContactFactory.create_batch(PEOPLE, account=account):
        EnrolmentFactory(
            account=account,
            campaign=campaign,
            contact=contact,
            address=contact.email,
            due_at=begin - 24 * HOUR,
        )
