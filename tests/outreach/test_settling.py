"""What a person's decision about an ambiguous message sets in motion."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from outreach.campaigns import pause_campaign, start_campaign
from outreach.enrolments import stop
from outreach.models import Campaign, Enrolment, Message
from outreach.planning import plan_account
from outreach.settling import settle
from tests.sinks import Drop


@pytest.fixture
def in_doubt(campaign, started, run, sink) -> Message:
    """A first mail whose answer got lost; the campaign, with nothing else to do, has finished."""
    started()
    sink.answers["dot"] = [Drop("rst"), "250 2.0.0 taken"]
    run(campaign)
    plan_account(campaign.account_id, timezone.now())
    return Message.objects.get()


def test_a_finished_campaign_goes_on_with_whoever_got_the_mail_after_all(in_doubt, campaign, user, run, sink):
    before = Campaign.objects.get().status

    settle(in_doubt, by=user, outcome="arrived")
    run(campaign)
    run(campaign, timezone.now() + timedelta(days=2, minutes=1))

    assert before == Campaign.Status.FINISHED
    assert sorted(Message.objects.values_list("step_number", "state")) == [(1, "sent"), (2, "sent")]


def test_a_finished_campaign_sends_again_and_finishes_again(in_doubt, campaign, user, run, sink):
    settle(in_doubt, by=user, outcome="send_again")
    reopened = Campaign.objects.get().status
    run(campaign)

    assert reopened == Campaign.Status.STARTED
    assert len(sink.arrivals) == 2
    assert Enrolment.objects.get().step_number == 1
    assert Message.objects.get().state == "sent"


def test_a_paused_campaign_sends_again_when_it_goes_on(in_doubt, campaign, user, run, sink):
    Campaign.objects.update(status="STARTED")
    pause_campaign(campaign, by=user)

    settle(in_doubt, by=user, outcome="send_again")
    while_paused = run(campaign)
    start_campaign(campaign, by=user)

    assert while_paused == 0
    assert run(campaign) == 1
    assert len(sink.arrivals) == 2


def test_nothing_is_sent_again_to_a_contact_that_has_left(in_doubt, campaign, user, run, sink):
    stop(Enrolment.objects.all(), reason="replied")

    settled = settle(in_doubt, by=user, outcome="send_again")

    assert settled.state == "cancelled"
    assert settled.last_error == "not sent again, the contact left the campaign: replied"
    assert run(campaign) == 0
    assert Enrolment.objects.get().state == "stopped"
