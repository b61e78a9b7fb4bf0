"""What comes after a step that is over: the next one, in its time, or the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from crm.models import Contact
from outreach.campaigns import create_campaign, start_campaign
from outreach.enrolling import enrol
from outreach.linkedin.tasks import connected, finish
from outreach.models import Campaign, Enrolment, Message
from outreach.planning import plan_account
from pipelime.events.models import Event
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MessageFactory,
    SequenceStepFactory,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)
OFFICE_HOURS = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}


@pytest.fixture
def running(account) -> Campaign:
    """Two mails, the second two days after the first."""
    campaign = CampaignFactory(account=account, status="STARTED")
    SequenceStepFactory(account=account, campaign=campaign, number=1)
    SequenceStepFactory(account=account, campaign=campaign, number=2, delay_days=2)
    return campaign


def sent(campaign: Campaign, step: int, **place) -> Enrolment:
    """Somebody whose step was sent at noon."""
    where = {"account": campaign.account, "step_number": step}
    enrolment = EnrolmentFactory(campaign=campaign, state="in_flight", **where, **place)
    MessageFactory(enrolment=enrolment, state="sent", due_at=NOON, sent_at=NOON, **where)
    return enrolment


@pytest.mark.parametrize(("back", "due_at"), [(7 * DAY, NOON + 7 * DAY), (DAY, NOON + 2 * DAY)])
def test_the_next_step_waits_for_whoever_is_away_longer_than_its_delay(running, account, back, due_at):
    away = sent(running, 1, parked_until=NOON + back)
    here = sent(running, 1)

    plan_account(account.pk, NOON)

    away.refresh_from_db()
    here.refresh_from_db()
    assert (away.state, away.step_number, away.due_at) == ("waiting", 2, due_at)
    assert here.due_at == NOON + 2 * DAY


def test_the_end_is_told_of_everybody_and_of_the_campaign_once(running, account):
    places = [sent(running, 2), sent(running, 2)]

    plan_account(account.pk, NOON)
    plan_account(account.pk, NOON)

    told = Event.objects.filter(name="enrolment.status_changed").order_by("pk")
    assert [event.subject_id for event in told] == [place.pk for place in places]
    assert [event.data["changes"] for event in told] == [{"status": ["in_flight", "finished"]}] * 2
    assert Event.objects.filter(name="campaign.finished").count() == 1


def test_whoever_the_last_step_is_not_meant_for_is_through_and_that_is_told(running, account):
    running.steps.filter(number=2).update(condition="replied")
    EnrolmentFactory(account=account, campaign=running, step_number=2, due_at=NOON)

    plan_account(account.pk, NOON)

    told = Event.objects.get(name="enrolment.status_changed")
    assert told.data["changes"] == {"status": ["waiting", "finished"]}


def invited(account, user, mailbox) -> Campaign:
    """An invitation; a message the day after, to connections only; a mail the day after that."""
    campaign = create_campaign(
        account,
        by=user,
        name="Hello",
        steps=[
            {"channel": "linkedin_invitation", "body": "May I?"},
            {"channel": "linkedin_message", "delay": {"days": 1}, "condition": "connected", "body": "Thanks"},
            {"delay": {"days": 1}, "subject": "A question", "body": "Dear {{ first_name }}"},
        ],
        schedule={"time_zone": "UTC", "windows": [OFFICE_HOURS]},
        mailboxes=[mailbox],
        linkedin_accounts=[LinkedInAccountFactory(account=account, owner=user)],
    )
    for name in ("friend", "stranger"):
        url = f"https://www.linkedin.com/in/{name}"
        ContactFactory(account=account, first_name=name, email=f"{name}@example.com", linkedin_url=url)
    enrol(campaign, Contact.objects.all(), by=user)
    start_campaign(campaign, by=user)
    return campaign


def do_tasks(user) -> None:
    for task in list(Message.objects.filter(state="todo").order_by("pk")):
        finish(task, by=user)


def test_a_sequence_from_an_invitation_to_a_mail_keeps_its_times(account, user, mailbox, sink, run):
    wednesday, thursday, friday, monday = (NOON.replace(day=day) for day in (4, 5, 6, 9))
    with time_machine.travel(wednesday, tick=False) as clock:
        campaign = invited(account, user, mailbox)
        run(campaign)
        clock.move_to(wednesday.replace(hour=14))
        do_tasks(user)
        friend = Enrolment.objects.get(address="friend@example.com")
        connected(friend, wednesday.replace(hour=15), by=user)
        clock.move_to(thursday.replace(hour=14))  # the message falls due; the stranger is passed over
        run(campaign)
        clock.move_to(friday.replace(hour=10))
        do_tasks(user)
        for moment in (friday.replace(hour=14), monday.replace(hour=9), monday):
            clock.move_to(moment)
            run(campaign)

    done = Message.objects.order_by("slot_at", "pk").values_list("to_name", "channel", "slot_at", "sent_at")
    assert [(name.split()[0], *rest) for name, *rest in done] == [
        ("friend", "linkedin_invitation", wednesday, wednesday.replace(hour=14)),
        ("stranger", "linkedin_invitation", wednesday, wednesday.replace(hour=14)),
        ("friend", "linkedin_message", thursday.replace(hour=14), friday.replace(hour=10)),
        ("stranger", "email", friday.replace(hour=14), friday.replace(hour=14)),
        ("friend", "email", monday.replace(hour=9), monday.replace(hour=9)),  # due on Saturday
    ]
    campaign.refresh_from_db()
    assert campaign.status == "FINISHED"
