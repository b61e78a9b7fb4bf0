"""The plan of a campaign, ahead of time: who gets what from whom at which minute, and who is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outreach.foresight import plan_of
from outreach.foresight.subjects import shown
from outreach.models import Campaign, Enrolment, Message
from outreach.planning import plan_account
from outreach.scheduling import Via
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
TWO_WEEKS = NOON + timedelta(days=14)
DAYTIME = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}]
TWO_VARIANTS = [
    {"key": "A", "weight": 1, "subject": "Hello {{ first_name }}", "body": "Hello"},
    {"key": "B", "weight": 0, "subject": "Hi", "body": "Hi"},
]
NO_SUBJECT = [{"key": "A", "weight": 1, "subject": "", "body": "Again"}]


@pytest.fixture
def mailbox(account):
    return MailboxFactory(account=account, email="ann@example.com")


@pytest.fixture
def campaign(account, mailbox) -> Campaign:
    campaign = CampaignFactory(account=account, status="STARTED", windows=DAYTIME)
    campaign.mailboxes.add(mailbox)
    SequenceStepFactory(account=account, campaign=campaign, number=1, variants=TWO_VARIANTS)
    SequenceStepFactory(account=account, campaign=campaign, number=2, delay_days=2, variants=NO_SUBJECT)
    return campaign


@pytest.fixture
def place(account, campaign):
    def make(**given) -> Enrolment:
        contact = ContactFactory(account=account, first_name=given.pop("first_name", "Bo"))
        values = {"campaign": campaign, "contact": contact, "due_at": NOON} | given
        return EnrolmentFactory(account=account, **values)

    return make


def brief(campaign: Campaign, until: datetime = TWO_WEEKS) -> list[tuple]:
    return [
        (f"{row.at:%m-%d %H:%M}", row.enrolment_id, row.step_number, row.sender_id, row.variant)
        for row in plan_of(campaign, until=until, now=NOON).rows
    ]


def left_out(campaign: Campaign, until: datetime = TWO_WEEKS) -> list[tuple[int, str]]:
    return [(one.enrolment_id, one.reason.code) for one in plan_of(campaign, until=until, now=NOON).left_out]


@pytest.mark.parametrize("status", ["DRAFT", "STARTED", "PAUSED"])
def test_a_campaign_is_planned_as_if_it_ran(campaign, mailbox, place, status):
    Campaign.objects.filter(pk=campaign.pk).update(status=status)
    one = place()

    assert brief(campaign) == [
        ("03-04 12:00", one.pk, 1, mailbox.pk, "A"),
        ("03-06 12:00", one.pk, 2, mailbox.pk, "A"),
    ]
    assert left_out(campaign) == []


def test_the_plan_respects_what_the_engine_does(campaign, mailbox, place):
    mailbox.daily_limit = 1
    mailbox.save()
    first, second = place(), place()

    assert brief(campaign, NOON + timedelta(days=7)) == [
        ("03-04 12:00", first.pk, 1, mailbox.pk, "A"),
        ("03-05 09:00", second.pk, 1, mailbox.pk, "A"),
        ("03-06 12:00", first.pk, 2, mailbox.pk, "A"),
        ("03-09 09:00", second.pk, 2, mailbox.pk, "A"),
    ]


def test_other_running_campaigns_use_up_what_is_shared(campaign, mailbox, place, account):
    mailbox.daily_limit = 1
    mailbox.save()
    other = CampaignFactory(account=account, status="STARTED")
    other.mailboxes.add(mailbox)
    SequenceStepFactory(account=account, campaign=other)
    EnrolmentFactory(account=account, campaign=other, due_at=NOON - timedelta(hours=1))
    one = place()

    assert brief(campaign, NOON + timedelta(days=2)) == [("03-05 09:00", one.pk, 1, mailbox.pk, "A")]
    Campaign.objects.filter(pk=other.pk).update(status="PAUSED")
    assert brief(campaign, NOON + timedelta(days=1)) == [("03-04 12:00", one.pk, 1, mailbox.pk, "A")]


def test_what_is_queued_comes_first_and_is_followed_up(campaign, mailbox, place, account):
    one = place(state="in_flight", mailbox=mailbox)
    at = NOON + timedelta(minutes=7)
    MessageFactory(account=account, enrolment=one, mailbox=mailbox, state="queued", due_at=at, slot_at=at)

    assert brief(campaign) == [
        ("03-04 12:07", one.pk, 1, mailbox.pk, "A"),
        ("03-06 12:07", one.pk, 2, mailbox.pk, "A"),
    ]
    assert plan_of(campaign, until=TWO_WEEKS, now=NOON).rows[0].is_begun


def test_a_step_that_was_done_but_not_followed_up_counts_from_when_it_was_due(
    campaign, mailbox, place, account
):
    one = place(state="in_flight", mailbox=mailbox)
    at = NOON - timedelta(minutes=5)
    MessageFactory(account=account, enrolment=one, mailbox=mailbox, state="sent", due_at=at, sent_at=at)

    assert brief(campaign) == [("03-06 11:55", one.pk, 2, mailbox.pk, "A")]


def test_what_a_person_has_not_done_in_time_is_thought_to_be_done_now(campaign, mailbox, place, account):
    one = place(state="in_flight")
    at = NOON - timedelta(hours=2)
    MessageFactory(
        account=account, enrolment=one, mailbox=None, from_address="", channel="call", state="todo", due_at=at
    )

    rows = plan_of(campaign, until=TWO_WEEKS, now=NOON).rows

    assert [(row.at, row.step_number, row.via) for row in rows] == [
        (at, 1, Via.HAND),
        (NOON + timedelta(days=2), 2, Via.MAIL),
    ]


def test_linkedin_steps_and_calls_have_rows_too(campaign, place, account):
    profile = LinkedInAccountFactory(account=account)
    campaign.linkedin_accounts.add(profile)
    SequenceStepFactory(
        account=account, campaign=campaign, number=3, channel="linkedin_message", delay_days=1
    )
    SequenceStepFactory(account=account, campaign=campaign, number=4, channel="call", delay_hours=1)
    place()

    rows = plan_of(campaign, until=TWO_WEEKS, now=NOON).rows

    assert [(f"{row.at:%m-%d %H:%M}", row.via, row.sender_id) for row in rows][2:] == [
        ("03-09 09:00", Via.LINKEDIN, profile.pk),
        ("03-09 10:00", Via.HAND, None),
    ]


def test_whoever_gets_nothing_is_left_out_with_the_reason(campaign, place):
    held = place(state="held", reason="first_name is missing")
    paused = place(state="paused")
    stopped = place(state="stopped", reason="unsubscribed")
    place(state="finished")
    late = place(due_at=TWO_WEEKS + timedelta(days=1))
    served = place()

    assert left_out(campaign) == [
        (held.pk, "held"),
        (paused.pk, "contact_paused"),
        (stopped.pk, "unsubscribed"),
        (late.pk, "not_due"),
    ]
    assert {row[1] for row in brief(campaign)} == {served.pk}


def test_an_unsettled_message_leaves_its_contact_out(campaign, mailbox, place, account):
    one = place(state="in_flight", mailbox=mailbox)
    MessageFactory(account=account, enrolment=one, mailbox=mailbox, state="ambiguous", due_at=NOON)

    assert (brief(campaign), left_out(campaign)) == ([], [(one.pk, "to_settle")])


def test_a_step_that_never_comes_is_said_even_of_those_who_get_others(campaign, place):
    Campaign.objects.filter(pk=campaign.pk).update(ends_on=NOON.date())
    one = place()

    assert [row[2] for row in brief(campaign)] == [1]
    assert left_out(campaign) == [(one.pk, "campaign_ended")]


def test_whoever_no_step_is_meant_for_is_left_out(campaign, place):
    campaign.steps.update(condition="clicked")
    one = place()

    assert (brief(campaign), left_out(campaign)) == ([], [(one.pk, "condition")])


def test_a_campaign_without_steps_plans_nothing(account):
    empty = CampaignFactory(account=account)
    one = EnrolmentFactory(account=account, campaign=empty)

    assert (brief(empty), left_out(empty)) == ([], [(one.pk, "no_step")])


def test_a_campaign_whose_mailbox_is_paused_says_so(campaign, mailbox, place):
    mailbox.paused_at, mailbox.pause_reason = NOON, "the server said 535"
    mailbox.save()
    place()

    (one,) = plan_of(campaign, until=TWO_WEEKS, now=NOON).left_out

    assert one.reason == ("mailbox_paused", "ann@example.com is paused: the server said 535", None)


def test_running_the_engine_gives_the_plan(campaign, mailbox, place):
    for _ in range(5):
        place()
    mailbox.gap_seconds = 90
    mailbox.save()
    ahead = plan_of(campaign, until=NOON + timedelta(minutes=15), now=NOON).rows

    plan_account(campaign.account_id, NOON)

    made = Message.objects.filter(state="queued").order_by("slot_at", "enrolment_id")
    assert [tuple(row[:4]) for row in ahead] == [
        (one.slot_at, one.enrolment_id, one.step_number, Via.MAIL) for one in made
    ]
    assert len(ahead) == 5


def test_pages_go_on_where_the_last_one_ended(campaign, place):
    for _ in range(3):
        place()
    plan = plan_of(campaign, until=TWO_WEEKS, now=NOON)

    first = plan.rows_after(None, 4)
    rest = plan.rows_after(tuple(first[-1][:3]), 4)

    assert first + rest == plan.rows
    assert (len(first), len(rest)) == (4, 2)


def test_subjects_are_rendered_and_follow_ups_answer_the_first_mail(campaign, place, account, mailbox):
    new, begun = place(first_name="Bo"), place(first_name="Cy", step_number=2, mailbox=mailbox)
    MessageFactory(
        account=account,
        enrolment=begun,
        mailbox=mailbox,
        state="sent",
        subject="Hello Cyrus",
        followed_up=True,
    )

    said = shown(campaign, plan_of(campaign, until=TWO_WEEKS, now=NOON).rows)

    assert sorted((one.row.enrolment_id, one.row.step_number, one.subject.text) for one in said) == [
        (new.pk, 1, "Hello Bo"),
        (new.pk, 2, "Re: Hello Bo"),
        (begun.pk, 2, "Re: Hello Cyrus"),
    ]
    assert {(one.channel, one.sender_name, one.sender_uid) for one in said} == {
        ("email", "ann@example.com", mailbox.uid)
    }


def test_a_subject_that_cannot_be_said_says_why(campaign, place):
    place(first_name="")

    said = shown(campaign, plan_of(campaign, until=TWO_WEEKS, now=NOON).rows[:1])

    assert said[0].subject.text is None
    assert "first_name" in said[0].subject.problem


def test_many_contacts_cost_as_many_queries_as_one(campaign, place):
    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            shown(campaign, plan_of(campaign, until=TWO_WEEKS, now=NOON).rows)
        return len(made)

    place()
    one = queries()
    for _ in range(5):
        place()

    assert queries() == one
