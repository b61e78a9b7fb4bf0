"""What came of a campaign, counted from its messages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from outreach.models import Campaign
from outreach.results import Figures, OfDay, results_of
from outreach.statistics import account_stats
from tests.factories import (
    CampaignFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)

LATE_ON_THE_3RD = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)  # the 4th in Paris
ON_THE_5TH = datetime(2026, 3, 5, 9, tzinfo=UTC)
TWO_VARIANTS = [
    {"key": "A", "weight": 1, "subject": "Hello", "body": "Hello"},
    {"key": "B", "weight": 1, "subject": "Hi", "body": "Hi"},
]


@pytest.fixture
def campaign(account) -> Campaign:
    campaign = CampaignFactory(account=account, time_zone="Europe/Paris")
    SequenceStepFactory(campaign=campaign, account=account, number=1, variants=TWO_VARIANTS)
    SequenceStepFactory(campaign=campaign, account=account, number=2, channel="linkedin_message")
    return campaign


@pytest.fixture
def sent(account, campaign):
    """Makes a message of the campaign that was sent on the 5th, unless said otherwise."""
    mailbox = MailboxFactory(account=account, email="ann@example.com")

    def make(**given):
        values = {"state": "sent", "sent_at": ON_THE_5TH, "mailbox": mailbox} | given
        enrolment = EnrolmentFactory(account=account, campaign=campaign)
        return MessageFactory(account=account, enrolment=enrolment, **values)

    return make


def test_every_kind_of_answer_is_counted_once_a_message(sent, campaign):
    sent()
    sent(replied_at=ON_THE_5TH, opened_at=ON_THE_5TH, clicked_at=ON_THE_5TH)
    sent(away_at=ON_THE_5TH)
    sent(unsubscribed_at=ON_THE_5TH, machine_opened_at=ON_THE_5TH, opened_at=ON_THE_5TH)
    sent(complained_at=ON_THE_5TH, machine_clicked_at=ON_THE_5TH)
    sent(bounced_at=ON_THE_5TH)

    assert results_of(campaign).totals == Figures(
        sent=6,
        delivered=5,
        bounced=1,
        replied=1,
        out_of_office=1,
        unsubscribed=1,
        complained=1,
        opened=2,
        clicked=1,
        machine_opened=1,
        machine_clicked=1,
    )


def test_a_mail_that_the_server_refused_at_once_bounced_and_was_never_sent(sent, campaign):
    sent(state="failed", sent_at=None, due_at=ON_THE_5TH, bounced_at=ON_THE_5TH)

    results = results_of(campaign)

    assert results.totals == Figures(bounced=1)
    assert results.days == [OfDay(date(2026, 3, 5), Figures(bounced=1))]


@pytest.mark.parametrize(
    "state", ["queued", "claimed", "failed", "ambiguous", "cancelled", "todo", "skipped"]
)
def test_what_was_not_sent_is_not_counted(sent, campaign, state):
    sent(state=state, sent_at=None)

    assert results_of(campaign).totals == Figures()


def test_answers_typed_by_hand_and_other_campaigns_are_not_counted(sent, account, campaign):
    sent(step_number=0)
    MessageFactory(account=account, state="sent", sent_at=ON_THE_5TH)

    assert results_of(campaign).totals == Figures()


def test_steps_and_variants_are_counted_apart_and_shown_before_anything_is_sent(sent, campaign):
    sent(variant="A")
    sent(variant="A", replied_at=ON_THE_5TH)
    sent(variant="B")
    sent(step_number=3, variant="A", channel="call")  # of a step that was taken out since

    results = results_of(campaign)

    assert [(one.step, one.channel, one.figures.sent) for one in results.steps] == [
        (1, "email", 3),
        (2, "linkedin_message", 0),
        (3, "call", 1),
    ]
    assert [(v.step, v.variant, v.figures.sent, v.figures.replied) for v in results.variants] == [
        (1, "A", 2, 1),
        (1, "B", 1, 0),
        (2, "A", 0, 0),
        (3, "A", 1, 0),
    ]
    assert results.steps[0].verdict.startswith("Not enough data: A has 2 delivered, B has 1 delivered")
    assert results.steps[1].verdict == ""


def test_senders_are_mailboxes_linkedin_accounts_and_people(sent, account, campaign):
    profile = LinkedInAccountFactory(account=account, name="Bob")
    by_hand = {"mailbox": None, "from_address": "", "step_number": 2}
    sent()
    sent(linkedin_account=profile, channel="linkedin_message", **by_hand)
    sent(channel="call", **by_hand)

    assert [(one.name, one.id is None, one.figures.sent) for one in results_of(campaign).senders] == [
        ("Bob", False, 1),
        ("ann@example.com", False, 1),
        ("", True, 1),
    ]


def test_days_are_those_of_the_campaign_and_an_answer_counts_on_its_message_s(sent, campaign):
    sent(sent_at=LATE_ON_THE_3RD, replied_at=ON_THE_5TH)
    sent()

    assert results_of(campaign).days == [
        OfDay(date(2026, 3, 4), Figures(sent=1, delivered=1, replied=1)),
        OfDay(date(2026, 3, 5), Figures(sent=1, delivered=1)),
    ]


def test_many_messages_cost_as_many_queries_as_one(sent, campaign, django_assert_num_queries):
    for number in range(3):
        sent(variant="AB"[number % 2], sent_at=(LATE_ON_THE_3RD, ON_THE_5TH)[number % 2])

    with django_assert_num_queries(4):  # the steps; messages by step, sender and day
        results_of(campaign)


def test_the_rate_of_opens_counts_only_mails_that_could_tell(account):
    tracked = CampaignFactory(account=account, track_opens=True)
    now = timezone.now()
    for opened_at in (now, None):
        one = EnrolmentFactory(account=account, campaign=tracked)
        MessageFactory(account=account, enrolment=one, state="sent", sent_at=now, opened_at=opened_at)
    MessageFactory(account=account, state="sent", sent_at=now)

    today = account_stats(account)["messages"]["today"]

    assert (today["sent"], today["open_rate"]) == (3, 0.5)


def test_without_tracking_there_is_no_rate_of_opens(account):
    MessageFactory(account=account, state="sent", sent_at=timezone.now())

    assert account_stats(account)["messages"]["today"]["open_rate"] is None
