"""What a plan writes down for each channel, and who may be next when many wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from outreach import demand
from outreach.foresight import why_not
from outreach.linkedin.accounts import pause_linkedin_account, resume_linkedin_account
from outreach.models import Campaign, Enrolment, LinkedInAccount, Message
from outreach.planning import plan_account
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MailboxFactory,
    SequenceStepFactory,
    UserFactory,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)


@pytest.fixture
def sequence(account):
    """A started campaign with these steps; words, numbers and senders are filled in."""

    def make(*steps: dict, mailboxes=None, profiles=(), **values) -> Campaign:
        campaign = CampaignFactory(account=account, status=Campaign.Status.STARTED, **values)
        campaign.mailboxes.set([MailboxFactory(account=account)] if mailboxes is None else mailboxes)
        campaign.linkedin_accounts.set(profiles)
        for number, step in enumerate(steps, start=1):
            SequenceStepFactory(account=account, campaign=campaign, number=number, **step)
        return campaign

    return make


@pytest.fixture
def wait(account):
    def make(campaign: Campaign, **values) -> Enrolment:
        contact = ContactFactory(
            account=account, **({"email": values["address"]} if "address" in values else {})
        )
        given = {"address": contact.email, "due_at": NOON} | values
        return EnrolmentFactory(account=account, campaign=campaign, contact=contact, **given)

    return make


def do(message: Message, now: datetime, state: str = "sent") -> None:
    Message.objects.filter(pk=message.pk).update(state=state, due_at=now)


def test_a_linkedin_step_is_a_task_for_the_owner_of_the_account(sequence, wait, account):
    owner = UserFactory(account=account)
    profile = LinkedInAccountFactory(account=account, owner=owner, name="Olga")
    enrolment = wait(sequence({"channel": "linkedin_invitation"}, profiles=[profile]))

    plan_account(account.pk, NOON)

    task = Message.objects.get()
    assert (task.state, task.channel, task.assignee) == ("todo", "linkedin_invitation", owner)
    assert (task.linkedin_account, task.mailbox, task.to_address) == (profile, None, "")
    assert (task.from_address, task.due_at, task.slot_at) == ("Olga", NOON, NOON)
    assert task.message_id == f"<{task.uid}@steps.invalid>"
    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.linkedin_account) == ("in_flight", profile)


def test_a_provider_is_woken_for_what_it_sends_itself(
    sequence, wait, account, bells, django_capture_on_commit_callbacks
):
    profile = LinkedInAccountFactory(account=account, provider="unipile")
    wait(sequence({"channel": "linkedin_message"}, profiles=[profile]))

    with django_capture_on_commit_callbacks(execute=True):
        plan_account(account.pk, NOON)

    assert Message.objects.get().state == "queued"
    assert bells == ["outreach.tasks.work_linkedin"]


@pytest.mark.parametrize("provider", ["", "unipile"])
def test_contacts_wait_for_a_linkedin_account_that_pauses(sequence, wait, account, user, provider):
    profile = LinkedInAccountFactory(account=account, provider=provider)
    enrolment = wait(sequence({"channel": "linkedin_message"}, profiles=[profile]))
    pause_linkedin_account(profile, by=user, reason="on holiday")

    while_paused = plan_account(account.pk, NOON)
    why = [(one.code, one.detail) for one in why_not(enrolment.contact, enrolment.campaign, now=NOON)]
    resume_linkedin_account(profile, by=user)

    assert while_paused == 0
    assert why == [("linkedin_paused", f"{profile} is paused: on holiday")]
    assert plan_account(account.pk, NOON) == 1


def test_whoever_has_begun_with_a_paused_linkedin_account_is_not_given_another(sequence, wait, account):
    paused, other = (
        LinkedInAccountFactory(account=account, paused_at=NOON),
        LinkedInAccountFactory(account=account),
    )
    campaign = sequence({"channel": "linkedin_message"}, profiles=[paused, other])
    wait(campaign, linkedin_account=paused)
    newcomer = wait(campaign)

    plan_account(account.pk, NOON)

    assert [(task.enrolment, task.linkedin_account) for task in Message.objects.all()] == [(newcomer, other)]


def test_nobody_without_an_address_gets_a_mail_or_keeps_others_from_theirs(
    sequence, wait, account, monkeypatch
):
    monkeypatch.setattr(demand, "AT_ONCE", 3)
    campaign = sequence({"channel": "call"}, {}, {"channel": "task"})
    nowhere = [wait(campaign, address="", step_number=2, due_at=NOON - DAY) for _ in range(5)]
    caller, reader = wait(campaign, address=""), wait(campaign, step_number=2)

    plan_account(account.pk, NOON)

    assert set(Message.objects.values_list("enrolment", "channel")) == {
        (caller.pk, "call"),
        (reader.pk, "email"),
    }
    held = Enrolment.objects.filter(pk__in=[one.pk for one in nowhere])
    assert set(held.values_list("state", "reason")) == {
        ("held", "the next step is an e-mail, and the contact has no address: give them one")
    }


def test_a_mail_that_is_not_meant_for_them_holds_nobody_without_an_address(sequence, wait, account):
    enrolment = wait(sequence({"condition": "replied"}, {"channel": "call"}), address="")

    plan_account(account.pk, NOON)

    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.step_number) == ("waiting", 2)


def test_a_call_is_for_the_owner_of_the_mailbox_that_has_written(sequence, wait, account, user):
    owner = UserFactory(account=account)
    box = MailboxFactory(account=account, owner=owner)
    campaign = sequence({"channel": "call"}, mailboxes=[box], created_by=user)
    known, new = wait(campaign, mailbox=box), wait(campaign)

    plan_account(account.pk, NOON)

    tasks = {task.enrolment_id: task for task in Message.objects.all()}
    assert (tasks[known.pk].assignee, tasks[new.pk].assignee) == (owner, user)
    assert {(task.state, task.mailbox) for task in tasks.values()} == {("todo", None)}


def test_a_linkedin_account_has_only_so_many_tasks_a_day(sequence, wait, account):
    profile = LinkedInAccountFactory(account=account, daily_limit=2)
    campaign = sequence({"channel": "linkedin_invitation"}, profiles=[profile])
    for _ in range(5):
        wait(campaign)

    made = [plan_account(account.pk, NOON + number * DAY) for number in range(2)]

    assert made == [2, 0]  # those of yesterday are still to be done


@pytest.mark.parametrize("state", ["sent", "skipped"])
def test_a_task_that_is_done_or_skipped_lets_the_contact_go_on(sequence, wait, account, state):
    enrolment = wait(sequence({"channel": "call"}, {"channel": "task", "delay_days": 2}))
    plan_account(account.pk, NOON)
    later = NOON + timedelta(hours=3)
    do(Message.objects.get(), later, state)

    plan_account(account.pk, later)

    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.step_number, enrolment.due_at) == ("waiting", 2, later + 2 * DAY)


def test_a_task_waits_for_its_person_as_long_as_it_takes(sequence, wait, account):
    campaign = sequence({"channel": "call"})
    wait(campaign)
    plan_account(account.pk, NOON)

    plan_account(account.pk, NOON + 30 * DAY)

    campaign.refresh_from_db()
    assert (Message.objects.get().state, campaign.status) == ("todo", "STARTED")


def test_a_step_whose_condition_is_not_fulfilled_is_passed_over_when_it_is_due(sequence, wait, account):
    campaign = sequence({"condition": "connected"}, {"delay_days": 1}, {"condition": "replied"})
    stranger, friend = wait(campaign), wait(campaign, connected_at=NOON - DAY)

    plan_account(account.pk, NOON - timedelta(minutes=5))
    too_early = Enrolment.objects.get(pk=stranger.pk).step_number
    plan_account(account.pk, NOON)

    assert too_early == 1
    assert Message.objects.get().enrolment == friend
    stranger.refresh_from_db()
    assert (stranger.state, stranger.step_number, stranger.due_at) == ("waiting", 2, NOON + DAY)


def test_whoever_is_past_the_last_step_is_through(sequence, wait, account):
    enrolment = wait(sequence({"condition": "replied"}))

    plan_account(account.pk, NOON)

    enrolment.refresh_from_db()
    assert enrolment.state == "finished"


def test_a_gap_counts_from_the_last_slot_of_the_mailbox(sequence, wait, account):
    box = MailboxFactory(account=account, gap_seconds=600)
    campaign = sequence({}, mailboxes=[box])
    for _ in range(4):
        wait(campaign)

    plan_account(account.pk, NOON)
    plan_account(account.pk, NOON + timedelta(minutes=10))

    slots = Message.objects.order_by("slot_at").values_list("slot_at", flat=True)
    assert [slot - NOON for slot in slots] == [timedelta(minutes=10 * number) for number in range(3)]


def test_a_new_mailbox_begins_slowly(sequence, wait, account):
    box = MailboxFactory(account=account, ramp_up_from=1, ramp_up_by=1, ramp_up_on=NOON.date())
    campaign = sequence({}, mailboxes=[box])
    for _ in range(4):
        wait(campaign)

    assert plan_account(account.pk, NOON) == 1


def test_contacts_whose_day_has_not_begun_do_not_crowd_out_others(sequence, wait, account, monkeypatch):
    monkeypatch.setattr(demand, "AT_ONCE", 3)
    box = MailboxFactory(account=account, daily_limit=50)
    campaign = sequence(
        {},
        mailboxes=[box],
        window_zone="contact",
        windows=[{"days": ["wed"], "from": "12:00", "to": "14:00"}],
    )
    for _ in range(6):
        wait(campaign, time_zone="Asia/Tokyo", due_at=NOON - DAY)
    here = wait(campaign, time_zone="Europe/London")

    plan_account(account.pk, NOON)

    assert Message.objects.get().enrolment == here


def test_a_domain_that_is_full_does_not_crowd_out_others(sequence, wait, account, monkeypatch):
    monkeypatch.setattr(demand, "AT_ONCE", 3)
    account.settings = {"mails_per_domain_a_day": 1}
    account.save()
    campaign = sequence({})
    for number in range(6):
        wait(campaign, address=f"p{number}@Big.example", due_at=NOON - DAY)
    other = wait(campaign, address="p@other.example")

    plan_account(account.pk, NOON)

    assert sorted(Message.objects.values_list("to_address", flat=True)) == [
        "p0@Big.example",
        "p@other.example",
    ]
    assert Message.objects.filter(enrolment=other).exists()
    late = Enrolment.objects.filter(state="waiting").values_list("due_at", flat=True).distinct()
    assert list(late) == [datetime(2026, 3, 5, tzinfo=UTC)]


def test_a_full_domain_does_not_put_off_what_is_passed_over(sequence, wait, account):
    account.settings = {"mails_per_domain_a_day": 1}
    account.save()
    campaign = sequence({"condition": "replied"}, {"delay_hours": 1})
    wait(campaign, address="a@big.example", step_number=2)
    later = NOON + timedelta(hours=3)
    passed = wait(campaign, address="b@big.example", due_at=later)

    for now in (NOON, later):
        plan_account(account.pk, now)

    passed.refresh_from_db()
    assert (passed.step_number, passed.due_at) == (2, datetime(2026, 3, 5, tzinfo=UTC))


def test_mails_to_an_account_cap_are_no_more_than_it(sequence, wait, account):
    account.settings = {"mails_a_day": 3}
    account.save()
    campaigns = [sequence({}), sequence({})]
    for campaign in campaigns * 3:
        wait(campaign)

    assert plan_account(account.pk, NOON) == 3


def test_linkedin_steps_do_not_crowd_out_mails(sequence, wait, account, monkeypatch):
    monkeypatch.setattr(demand, "AT_ONCE", 3)
    profile = LinkedInAccountFactory(account=account, daily_limit=0)
    campaign = sequence({}, {"channel": "linkedin_message"}, profiles=[profile])
    for _ in range(6):
        wait(campaign, step_number=2, due_at=NOON - DAY)
    wait(campaign)

    plan_account(account.pk, NOON)

    assert list(Message.objects.values_list("channel", flat=True)) == ["email"]


def test_whoever_waits_for_a_linkedin_account_that_is_gone_gets_another(sequence, wait, account):
    gone, other = LinkedInAccountFactory.create_batch(2, account=account)
    campaign = sequence({"channel": "linkedin_message"}, profiles=[gone, other])
    wait(campaign, linkedin_account=gone)
    LinkedInAccount.objects.filter(pk=gone.pk).update(deleted_at=NOON)

    plan_account(account.pk, NOON)

    assert Message.objects.get().linkedin_account == other


def test_a_contact_with_an_unknown_time_zone_is_served_in_the_campaigns(sequence, wait, account):
    wait(sequence({}, window_zone="contact"), time_zone="Mars/Olympus")

    assert plan_account(account.pk, NOON) == 1


def test_a_paused_contact_is_not_planned(sequence, wait, account):
    wait(sequence({}), state=Enrolment.State.PAUSED)

    assert plan_account(account.pk, NOON) == 0


def test_a_campaign_goes_on_until_its_last_day_is_over_everywhere(sequence, wait, account):
    campaign = sequence({}, window_zone="contact", ends_on=NOON.date())
    wait(campaign, time_zone="America/Los_Angeles", due_at=NOON + timedelta(hours=14))

    plan_account(account.pk, NOON + timedelta(hours=14))  # Thursday in the campaign's zone

    campaign.refresh_from_db()
    assert (Message.objects.count(), campaign.status) == (1, "STARTED")
