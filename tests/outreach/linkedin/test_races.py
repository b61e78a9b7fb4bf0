"""Two at once: two workers at one account, two people at one task, a person and a provider's call."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from outreach.linkedin.claiming import claim_next
from outreach.linkedin.tasks import connected, finish
from outreach.models import CapCounter, LinkedInAccount, Message
from pipelime.errors import Conflict
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.factories import ContactFactory, EnrolmentFactory
from tests.outreach.overlapping import overlap
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)
only_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer: there is nobody beside a transaction"
)


def claim() -> Message | None:
    with every_account():
        return claim_next(timezone.now())


def test_of_workers_who_claim_at_once_one_has_the_account(worked, step, account, campaign):
    LinkedInAccount.objects.update(daily_limit=5)
    for _ in range(3):
        contact = ContactFactory(account=account)
        place = EnrolmentFactory(account=account, campaign=campaign, contact=contact, state="in_flight")
        step("linkedin_invitation", worked, enrolment=place)

    claimed = all_at_once([claim] * 4)

    assert [message is not None for message in claimed].count(True) == 1
    assert Message.objects.filter(state="claimed").count() == 1
    assert CapCounter.objects.get().used == 1


@only_postgresql
def test_of_two_people_who_finish_one_task_at_once_one_is_told(account, by_hand, step, user):
    message = step("linkedin_invitation", by_hand)

    def press() -> str:
        try:
            finish(Message.objects.get(pk=message.pk), by=user)
        except Conflict as refusal:
            return str(refusal)
        return "done"

    first, second = overlap(account, press, press)

    assert (first, second.partition(";")[0]) == ("done", "This task is done already")
    assert CapCounter.objects.get().used == 1
    assert Event.objects.filter(name="connection.sent").count() == 1


@only_postgresql
def test_an_acceptance_told_twice_at_once_is_noted_once(account, enrolment):
    told = overlap(
        account,
        lambda: connected(enrolment, timezone.now(), by=None),
        lambda: connected(type(enrolment).objects.get(pk=enrolment.pk), timezone.now(), by=None),
    )

    assert told == (True, False)
    assert Event.objects.filter(name="connection.accepted").count() == 1
