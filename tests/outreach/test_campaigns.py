from datetime import timedelta

import pytest
from django.utils import timezone

from outreach.campaigns import create_campaign, delete_campaign, problems, start_campaign, update_campaign
from outreach.models import Campaign, Enrolment, SequenceStep
from pipelime.accounts.models import Account
from pipelime.errors import Invalid, Suspended
from pipelime.events.models import Event
from pipelime.scope import ScopeViolation
from tests.factories import (
    CampaignFactory,
    EnrolmentFactory,
    FieldFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)

STEP = {"subject": "Hello", "body": "A question."}


@pytest.fixture
def ready(account, user):
    """A campaign that may start."""
    mailbox = MailboxFactory(account=account)
    return create_campaign(account, by=user, name="Spring", steps=[STEP], mailboxes=[mailbox])


def test_a_new_campaign_is_a_draft_with_its_steps(account, user):
    campaign = create_campaign(
        account,
        by=user,
        name=" Spring ",
        steps=[STEP, {"delay": {"days": 3, "hours": 2}, "subject": "", "body": "And?"}],
    )

    assert (campaign.name, campaign.status) == ("Spring", "DRAFT")
    assert list(campaign.steps.values_list("number", "delay_days", "delay_hours")) == [(1, 0, 0), (2, 3, 2)]
    assert campaign.steps.first().variants == [
        {"key": "A", "weight": 1, "subject": "Hello", "body": "A question."}
    ]
    assert Event.objects.get().name == "campaign.created"


BAD = {
    "no name": ({"name": " "}, "needs a name"),
    "unknown channel": ({"steps": [{"channel": "fax"}]}, "'fax' is no channel"),
    "unknown part of a step": ({"steps": [{"text": "x"}]}, "not 'text'"),
    "negative delay": ({"steps": [{"delay": {"days": -1}}]}, "no whole number"),
    "unclosed output": ({"steps": [{"subject": "Hi {{ name", "body": ""}]}, "never closed"),
    "unknown zone": ({"schedule": {"time_zone": "Mars/Olympus"}}, "no time zone"),
    "window that closes first": (
        {"schedule": {"windows": [{"days": ["mon"], "from": "17:00", "to": "09:00"}]}},
        "must open before it closes",
    ),
    "unknown day": (
        {"schedule": {"windows": [{"days": ["monday"], "from": "09:00", "to": "10:00"}]}},
        "no day",
    ),
    "bad clock": (
        {"schedule": {"windows": [{"days": ["mon"], "from": "9", "to": "10:00"}]}},
        "no time of day",
    ),
    "zero limit": ({"daily_limit": 0}, "whole number from 1"),
    "unknown setting": ({"settings": {"track_opens": True}}, "not 'track_opens'"),
    "no weight at all": (
        {"steps": [{"variants": [{"weight": 0, "subject": "a", "body": "b"}]}]},
        "weight above 0",
    ),
}


@pytest.mark.parametrize(("given", "words"), BAD.values(), ids=BAD.keys())
def test_a_mistake_is_named_and_nothing_is_stored(given, words, account, user):
    with pytest.raises(Invalid, match=words):
        create_campaign(account, by=user, **{"name": "Spring", **given})

    assert not Campaign.objects.exists()
    assert not Event.objects.exists()


def test_a_mailbox_of_another_account_is_refused(account, user):
    with pytest.raises(ScopeViolation):
        create_campaign(account, by=user, name="Spring", mailboxes=[MailboxFactory()])

    assert not Campaign.objects.exists()


def test_starting_is_recorded_once(ready, user, bells, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        start_campaign(ready, by=user)
        start_campaign(ready, by=user)

    ready.refresh_from_db()
    assert ready.status == "STARTED"
    assert Event.objects.filter(name="campaign.started").count() == 1
    assert "outreach.tasks.plan_due" in bells


def test_every_reason_not_to_start_is_told_at_once(account, user):
    account.postal_address = ""
    account.save()
    campaign = create_campaign(account, by=user, name="Empty")

    with pytest.raises(Invalid) as refusal:
        start_campaign(campaign, by=user)

    reasons = refusal.value.fields["campaign"]
    assert [reason.split(":")[0] for reason in reasons] == [
        "It has no steps",
        "It has no mailbox to send from",
        "It has no postal address, which the law wants in every such mail",
    ]


def test_an_unknown_variable_is_named_with_the_nearest_known_one(account, user):
    FieldFactory(account=account, kind="contact", key="shoe_size")
    campaign = create_campaign(
        account,
        by=user,
        name="Spring",
        steps=[{"subject": "{{ frist_name }}", "body": "{{ shoe_size }}"}],
        mailboxes=[MailboxFactory(account=account)],
    )

    assert problems(campaign) == ["Step 1: unknown variable frist_name: did you mean first_name?."]


def test_a_suspended_account_starts_nothing(ready, user, account):
    Account.objects.filter(pk=account.pk).update(suspended_at=timezone.now())
    campaign = Campaign.objects.get()

    with pytest.raises(Suspended):
        start_campaign(campaign, by=user)


def test_a_begun_campaign_keeps_its_steps_but_may_change_their_words(ready, user):
    update_campaign(ready, by=user, steps=[STEP, STEP])
    start_campaign(ready, by=user)

    with pytest.raises(Invalid, match="keeps its 2 steps"):
        update_campaign(ready, by=user, steps=[STEP])
    update_campaign(ready, by=user, steps=[{"subject": "New", "body": "words"}, STEP])

    assert SequenceStep.objects.get(number=1).subject == "New"
    assert SequenceStep.objects.count() == 2


def test_changing_nothing_records_nothing(ready, user):
    before = Event.objects.count()

    update_campaign(ready, by=user, name=ready.name)

    assert Event.objects.count() == before


def test_a_deleted_campaign_keeps_its_ledger_and_stops_its_contacts(account, user):
    step = SequenceStepFactory(account=account, campaign=CampaignFactory(account=account))
    enrolment = EnrolmentFactory(account=account, campaign=step.campaign)
    sent = MessageFactory(account=account, enrolment=enrolment, state="sent", sent_at=timezone.now())

    delete_campaign(step.campaign, by=user)

    enrolment.refresh_from_db()
    sent.refresh_from_db()
    assert enrolment.state == Enrolment.State.STOPPED
    assert sent.state == "sent"
    assert not Campaign.objects.alive().exists()


def test_a_campaign_that_ended_does_not_start(ready, user):
    Campaign.objects.update(ends_on=timezone.now().date() - timedelta(days=2))

    assert problems(Campaign.objects.get()) == [
        f"It ended on {timezone.now().date() - timedelta(days=2)}: choose a later last day."
    ]
