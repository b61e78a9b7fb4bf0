"""Rounds of planning: who comes first, what is planned anew, and when a campaign is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Contact
from outreach import demand, moving_on, planning
from outreach.campaigns import create_campaign, start_campaign, update_campaign
from outreach.enrolling import enrol
from outreach.mailboxes import delete_mailbox, pause_mailbox, resume_mailbox
from outreach.models import Campaign, EmailAccount, Enrolment, Message
from outreach.planning import accounts_to_plan, plan_account
from outreach.tasks import plan_due
from pipelime.events.models import Event
from pipelime.scope import account_scope, every_account
from tests.factories import AccountFactory, CampaignFactory, ContactFactory, EnrolmentFactory, MailboxFactory

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
STEPS = [{"subject": "Hi", "body": "Hi"}, {"delay": {"days": 1}, "body": "Again"}]


@pytest.fixture
def small_turns(monkeypatch):
    monkeypatch.setattr(demand, "AT_ONCE", 5)
    monkeypatch.setattr(planning, "AT_ONCE", 6)
    monkeypatch.setattr(moving_on, "AT_ONCE", 6)


def running(account, user, mailboxes, count: int, **values) -> Campaign:
    """A started campaign whose contacts have waited for an hour."""
    campaign = create_campaign(account, by=user, name="Run", steps=STEPS, mailboxes=mailboxes, **values)
    made = ContactFactory.create_batch(count, account=account)
    enrol(campaign, Contact.objects.filter(pk__in=[contact.pk for contact in made]), by=user)
    start_campaign(campaign, by=user)
    Enrolment.objects.filter(campaign=campaign).update(due_at=NOON - timedelta(hours=1))
    return campaign


def queued(campaign: Campaign) -> int:
    return Message.objects.filter(campaign=campaign, state="queued").count()


def test_many_short_transactions_make_the_plan_of_one(account, user, monkeypatch):
    boxes = MailboxFactory.create_batch(3, account=account, daily_limit=6)
    running(account, user, boxes, 20)

    def plan() -> list[tuple]:
        plan_account(account.pk, NOON)
        made = list(Message.objects.filter(state="queued").values_list("enrolment", "mailbox", "slot_at"))
        Message.objects.all().delete()
        Enrolment.objects.update(state="waiting", mailbox=None)
        return sorted(made)

    at_once = plan()
    monkeypatch.setattr(demand, "AT_ONCE", 4)
    in_turns = plan()

    assert len(at_once) == 18
    assert in_turns == at_once


def test_follow_ups_come_before_the_many_who_wait_for_their_first_mail(account, user, small_turns):
    box = MailboxFactory(account=account, daily_limit=3)
    campaign = running(account, user, [box], 20)
    late = Enrolment.objects.order_by("-pk")[:3]
    Enrolment.objects.filter(pk__in=[one.pk for one in late]).update(
        step_number=2, mailbox=box, due_at=NOON - timedelta(minutes=1)
    )

    plan_account(account.pk, NOON)

    assert queued(campaign) == 3
    assert set(Message.objects.values_list("step_number", flat=True)) == {2}


def test_a_campaign_that_cannot_send_now_does_not_crowd_out_another(account, user, small_turns):
    boxes = MailboxFactory.create_batch(2, account=account)
    closed = running(
        account, user, boxes, 12, schedule={"windows": [{"days": ["sun"], "from": "09:00", "to": "10:00"}]}
    )
    open_now = running(account, user, boxes, 2)

    plan_account(account.pk, NOON)

    assert (queued(closed), queued(open_now)) == (0, 2)


def test_a_mailbox_that_has_used_its_day_does_not_crowd_out_another(account, user, small_turns):
    full, free = MailboxFactory(account=account, daily_limit=1), MailboxFactory(account=account)
    campaign = running(account, user, [full, free], 14)
    ids = list(Enrolment.objects.order_by("pk").values_list("pk", flat=True))
    Enrolment.objects.filter(pk__in=ids[:12]).update(step_number=2, mailbox=full)
    Enrolment.objects.filter(pk__in=ids[12:]).update(step_number=2, mailbox=free)

    plan_account(account.pk, NOON)

    assert queued(campaign) == 3
    assert Message.objects.filter(mailbox=free).count() == 2


def test_whoever_waits_for_a_paused_mailbox_waits_for_it(account, user):
    paused, other = MailboxFactory.create_batch(2, account=account)
    campaign = running(account, user, [paused, other], 1)
    Enrolment.objects.update(mailbox=paused)
    pause_mailbox(paused, by=user, reason="a test")

    plan_account(account.pk, NOON)
    while_paused = queued(campaign)
    resume_mailbox(paused, by=user)
    plan_account(account.pk, NOON)

    assert while_paused == 0
    assert Message.objects.get().mailbox == paused


@pytest.mark.parametrize("how", ["disconnected", "taken out"])
def test_whoever_waits_for_a_mailbox_that_is_gone_gets_another(account, user, how):
    gone, other = MailboxFactory.create_batch(2, account=account)
    campaign = running(account, user, [gone, other], 1)
    Enrolment.objects.update(mailbox=gone)
    if how == "disconnected":
        delete_mailbox(gone, by=user)
    else:
        update_campaign(campaign, by=user, mailboxes=[other])

    plan_account(account.pk, NOON)

    assert Message.objects.get().mailbox == other


def test_what_was_queued_in_a_mailbox_that_is_gone_is_sent_from_another(account, user):
    gone, other = MailboxFactory.create_batch(2, account=account)
    campaign = running(account, user, [gone], 1)
    plan_account(account.pk, NOON)
    update_campaign(campaign, by=user, mailboxes=[gone, other])

    delete_mailbox(gone, by=user)
    plan_account(account.pk, NOON)

    assert Message.objects.get(state="queued").mailbox == other


def test_a_campaign_is_over_after_its_last_day_and_goes_on_when_that_is_moved(account, user, mailbox):
    campaign = running(account, user, [mailbox], 2)
    plan_account(account.pk, NOON)
    Campaign.objects.update(ends_on=date(2026, 3, 4))
    next_day = NOON + timedelta(days=1)

    plan_account(account.pk, next_day)
    campaign.refresh_from_db()
    over = (campaign.status, queued(campaign), set(Enrolment.objects.values_list("state", flat=True)))
    update_campaign(campaign, by=user, schedule={"ends_on": date(9999, 1, 1)})
    start_campaign(campaign, by=user)
    plan_account(account.pk, next_day)

    assert over == ("FINISHED", 0, {"waiting"})
    assert queued(campaign) == 2


def test_new_rules_hold_for_what_is_queued_already(account, user, mailbox):
    campaign = running(account, user, [mailbox], 3)
    plan_account(account.pk, NOON)

    update_campaign(campaign, by=user, daily_limit=1)
    plan_account(account.pk, NOON)

    assert queued(campaign) == 1


def test_a_gap_counts_from_the_moment_to_which_a_mail_was_put_off(account, user, mailbox):
    running(account, user, [mailbox], 1)
    plan_account(account.pk, NOON)
    Message.objects.update(state="sent", due_at=NOON + timedelta(days=3))

    plan_account(account.pk, NOON + timedelta(days=3))

    assert Enrolment.objects.get().due_at == NOON + timedelta(days=4)


def test_one_wrong_row_does_not_stop_every_later_plan(account, user, mailbox):
    campaign = running(account, user, [mailbox], 2)
    plan_account(account.pk, NOON)
    served = Message.objects.order_by("pk").first()
    Message.objects.filter(pk=served.pk).update(state="sent", followed_up=True)
    Enrolment.objects.update(state="waiting")

    plan_account(account.pk, NOON)
    plan_account(account.pk, NOON)

    assert Enrolment.objects.get(pk=served.enrolment_id).step_number == 2
    assert Message.objects.filter(campaign=campaign).exclude(state="cancelled").count() == 2


def test_a_fault_in_one_account_does_not_stop_the_plans_of_others(account, user, mailbox):
    running(account, user, [mailbox], 1)
    broken = AccountFactory()
    with account_scope(broken):
        bad = CampaignFactory(account=broken, status="STARTED", time_zone="Nowhere/Nothing")
        EnrolmentFactory(account=broken, campaign=bad)
    Campaign.objects.update(planned_at=NOON)

    queued = plan_due()

    assert queued == 1


def test_accounts_that_were_never_planned_come_first(account):
    CampaignFactory(account=account, status="STARTED", planned_at=NOON)
    newcomer = CampaignFactory(status="STARTED")

    with every_account():
        order = accounts_to_plan()

    assert order == [newcomer.account_id, account.pk]


def test_a_round_costs_the_same_statements_for_few_and_for_many(account, user):
    boxes = MailboxFactory.create_batch(3, account=account)

    def statements(contacts: int) -> int:
        running(account, user, boxes, contacts)
        with CaptureQueriesContext(connection) as captured:
            assert plan_account(account.pk, NOON) == contacts
        Campaign.objects.update(status="PAUSED")
        return len(captured)

    statements(3)

    assert statements(6) == statements(60)


def test_a_campaign_finishes_once(account, user, mailbox):
    running(account, user, [mailbox], 1)
    Enrolment.objects.update(state="finished")

    plan_account(account.pk, NOON)
    plan_account(account.pk, NOON)

    assert Event.objects.filter(name="campaign.finished").count() == 1


def test_a_daylight_saving_day_has_one_allowance(account, user):
    """In Berlin 25 October 2026 has 25 hours; its cap does not start anew at the hour that comes twice."""
    box = MailboxFactory(account=account, daily_limit=2, time_zone="Europe/Berlin")
    campaign = running(account, user, [box], 5)
    Enrolment.objects.update(due_at=datetime(2026, 10, 24, 22, tzinfo=UTC))

    for hour in range(25):
        plan_account(account.pk, datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(hours=hour))
        Message.objects.filter(state="queued").update(due_at=datetime(2026, 10, 25, 22, 59, tzinfo=UTC))
    by_the_end = queued(campaign)
    plan_account(account.pk, datetime(2026, 10, 25, 23, tzinfo=UTC))

    assert (by_the_end, queued(campaign)) == (2, 4)
    assert EmailAccount.objects.get().time_zone == "Europe/Berlin"
