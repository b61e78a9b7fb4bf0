from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from outreach.campaigns import create_campaign, delete_campaign, problems, start_campaign, update_campaign
from outreach.models import Campaign, Enrolment, SequenceStep
from pipelime.accounts.models import Account
from pipelime.errors import Conflict, Invalid, Suspended
from pipelime.events.models import Event
from pipelime.scope import ScopeViolation
from tests.factories import (
    CampaignFactory,
    EnrolmentFactory,
    FieldFactory,
    LinkedInAccountFactory,
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
    "unknown setting": ({"settings": {"branch_on_opens": True}}, "not 'branch_on_opens'"),
    "unknown condition": ({"steps": [{"condition": "opened"}]}, "'opened' is no condition"),
    "unknown holidays": ({"schedule": {"holidays": "DE-QQ"}}, "DE has no region 'QQ'"),
    "unknown priority": ({"settings": {"priority": "me"}}, "'me' is not known; use follow_ups"),
    "long invitation": (
        {"steps": [{"channel": "linkedin_invitation", "body": "x" * 301 + "{{ first_name }}"}]},
        "takes 300 characters; this text has 301",
    ),
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


def test_a_long_name_of_a_variable_is_no_part_of_an_invitation_s_length(account, user):
    body = "x" * 300 + "{{ first_name | default: 'somebody with a name' }}"

    campaign = create_campaign(
        account, by=user, name="Spring", steps=[{"channel": "linkedin_invitation", "body": body}]
    )

    assert campaign.steps.get().body == body


def of_steps(account, *steps: dict, **settings) -> list[str]:
    """What keeps a campaign of these steps from starting that has every sender it may need."""
    campaign = create_campaign(
        account,
        by=None,
        name="Spring",
        steps=steps,
        settings=settings,
        mailboxes=[MailboxFactory(account=account)],
        linkedin_accounts=[LinkedInAccountFactory(account=account)],
    )
    return problems(campaign)


INVITE, CALL = {"channel": "linkedin_invitation"}, {"channel": "call"}


def test_a_campaign_without_mails_needs_neither_mailbox_nor_postal_address(account, user):
    account.postal_address = ""
    account.save()
    campaign = create_campaign(account, by=user, name="Calls", steps=[CALL])

    assert problems(campaign) == []


def test_linkedin_steps_need_a_linkedin_account_that_is_not_paused(account, user):
    campaign = create_campaign(account, by=user, name="Spring", steps=[INVITE])
    without = problems(campaign)
    paused = LinkedInAccountFactory(account=account, paused_at=timezone.now(), pause_reason="restricted")
    update_campaign(campaign, by=user, linkedin_accounts=[paused])

    assert without == ["It has no LinkedIn account to send from: choose at least one."]
    assert problems(campaign) == [
        "Every LinkedIn account of it is paused (restricted): resume one, or choose another."
    ]


@pytest.mark.parametrize(
    ("steps", "settings", "said"),
    [
        ([STEP, {**STEP, "condition": "connected"}], {}, ["Step 2 waits for a connection, but no"]),
        ([INVITE, {**STEP, "condition": "connected"}], {}, []),
        ([INVITE, {**STEP, "condition": "clicked"}], {}, ["Step 2 waits for a click, but no e-mail"]),
        ([STEP, {**STEP, "condition": "clicked"}], {}, ["Step 2 waits for a click, but clicks are"]),
        ([STEP, {**STEP, "condition": "clicked"}], {"track_clicks": True}, []),
        ([STEP, {**STEP, "condition": "replied"}], {}, ["Step 2 is for those who have replied, but"]),
        ([STEP, {**STEP, "condition": "replied"}], {"stop_on_reply": False}, []),
        ([{**STEP, "condition": "connected"}], {}, ["Step 1 comes first, so nothing can have happened"]),
        ([INVITE, {"channel": "linkedin_message"}], {}, ["Step 2 has no text"]),
        ([{"channel": "task", "body": "notes"}], {}, ["Step 1 has no title"]),
        ([CALL, {"body": "a mail"}], {}, ["Step 2 has no subject"]),
        ([STEP, {"body": "a mail"}], {}, []),
        ([INVITE, {**STEP, "condition": "connected"}, {"body": "a mail"}], {}, ["Step 3 has no subject"]),
        ([{"channel": "call", "body": "{{ nam }}"}], {}, ["Step 1: unknown variable nam"]),
    ],
)  # fmt: skip
def test_what_a_step_lacks_is_told(account, steps, settings, said):
    found = of_steps(account, *steps, **settings)

    assert len(found) == len(said)
    assert all(problem.startswith(words) for problem, words in zip(found, said, strict=True))


def test_steps_that_have_begun_keep_their_channel(ready, user):
    start_campaign(ready, by=user)

    with pytest.raises(Invalid, match="step 1 stays E-mail, not 'call'"):
        update_campaign(ready, by=user, steps=[CALL])
    update_campaign(ready, by=user, steps=[{"subject": "New", "body": "words"}])

    assert (ready.steps.get().channel, ready.steps.get().subject) == ("email", "New")


def test_a_running_campaign_takes_no_words_that_it_could_not_start_with(ready, user):
    start_campaign(ready, by=user)

    with pytest.raises(Invalid, match="unknown variable nam"):
        update_campaign(ready, by=user, steps=[{"subject": "Hi", "body": "{{ nam }}"}])

    assert ready.steps.get().body == "A question."


@pytest.mark.parametrize(("include", "expected"), [(False, ("finished", 1)), (True, ("waiting", 2))])
def test_whoever_was_through_gets_a_new_step_only_when_it_is_said(account, ready, user, include, expected):
    start_campaign(ready, by=user)
    Campaign.objects.update(status="FINISHED")
    through = EnrolmentFactory(account=account, campaign=ready, state="finished")

    update_campaign(ready, by=user, steps=[STEP, {**STEP, "delay": {"days": 1}}], include_finished=include)

    through.refresh_from_db()
    assert (through.state, through.step_number) == expected
    assert ready.status == ("STARTED" if include else "FINISHED")


@pytest.mark.parametrize(
    ("window_zone", "due_at"),
    [
        ("mailbox", datetime(2026, 5, 4, 23, tzinfo=UTC)),  # it is Thursday afternoon in Los Angeles
        ("contact", datetime(2026, 5, 3, 23, tzinfo=UTC)),  # early on Friday, a holiday, in London
    ],
)
def test_whoever_was_through_waits_on_the_clock_on_which_they_were_served(
    account, ready, user, window_zone, due_at
):
    schedule = {"time_zone": "UTC", "window_zone": window_zone, "holidays": "FR"}
    mailbox = MailboxFactory(account=account, time_zone="America/Los_Angeles")
    through = EnrolmentFactory(
        account=account, campaign=ready, state="finished", mailbox=mailbox, time_zone="Europe/London"
    )
    later = {**STEP, "delay": {"business_days": 1}}

    with time_machine.travel(datetime(2026, 4, 30, 23, tzinfo=UTC), tick=False):
        update_campaign(ready, by=user, schedule=schedule, steps=[STEP, later], include_finished=True)

    through.refresh_from_db()
    assert (through.state, through.step_number, through.due_at) == ("waiting", 2, due_at)


def test_a_change_that_somebody_overtook_is_refused(ready, user):
    seen_at = ready.updated_at
    update_campaign(ready, by=user, seen_at=seen_at, name="First")

    with pytest.raises(Conflict, match="Somebody else has changed this campaign"):
        update_campaign(ready, by=user, seen_at=seen_at, name="Second")

    assert Campaign.objects.get().name == "First"


def test_a_change_tells_what_was_before(ready, user):
    update_campaign(ready, by=user, name="Autumn", settings={"track_clicks": True})

    changes = Event.objects.get(name="campaign.updated").data["changes"]
    assert changes["name"] == ["Spring", "Autumn"]
    assert [one["track_clicks"] for one in changes["settings"]] == [False, True]
    assert set(changes) == {"name", "settings"}


def test_saving_what_is_there_already_gives_no_message_a_new_slot(account, ready, user):
    start_campaign(ready, by=user)
    place = EnrolmentFactory(account=account, campaign=ready, state="in_flight")
    queued = MessageFactory(account=account, enrolment=place, state="queued")

    update_campaign(ready, by=user, schedule={"windows": []}, settings={"stop_on_reply": True}, steps=[STEP])

    queued.refresh_from_db()
    assert queued.state == "queued"


def test_a_template_is_never_started(account, user):
    template = create_campaign(account, by=user, name="Our way", steps=[STEP], is_template=True)

    with pytest.raises(Invalid, match="make a campaign of it first"):
        start_campaign(template, by=user)

    assert Event.objects.get().name == "campaign_template.created"
