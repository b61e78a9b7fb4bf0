"""The whole way of a mail: enrolled, planned, claimed, sent over SMTP, followed up, finished."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from crm.contacts import update_contact
from crm.models import Contact
from outreach.blocking import block, suppress
from outreach.campaigns import create_campaign, pause_campaign, start_campaign, update_campaign
from outreach.claiming import claim_batch, release_expired
from outreach.enrolling import enrol
from outreach.models import Campaign, CapCounter, EmailAccount, Enrolment, Message
from outreach.planning import plan_account
from outreach.sending import send_batch
from outreach.settling import expire_sending, settle
from pipelime.errors import Invalid
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.factories import ContactFactory
from tests.sinks import Drop

SECOND = timedelta(seconds=1)


def run(campaign: Campaign, now=None) -> int:
    """One round as workers make it: plan, then send whatever is due. Slots fall on whole seconds."""
    now = now or timezone.now()
    plan_account(campaign.account_id, now)
    sent = 0
    while True:
        with every_account():
            batch = claim_batch(now + SECOND)
        if batch is None:
            return sent
        sent += send_batch(batch)


def started(campaign: Campaign, contacts, user) -> None:
    enrol(campaign, Contact.objects.filter(pk__in=[contact.pk for contact in contacts]), by=user)
    start_campaign(campaign, by=user)


def noon_after_enrolling() -> datetime:
    """Of tomorrow: whoever was enrolled just now is due by then, at whatever hour this runs."""
    return (timezone.now() + timedelta(days=1)).replace(hour=12, minute=0)


def test_every_contact_gets_each_step_once(campaign, account, user, sink):
    contacts = ContactFactory.create_batch(3, account=account)
    started(campaign, contacts, user)

    first = run(campaign)
    again = run(campaign)
    second = run(campaign, timezone.now() + timedelta(days=2, seconds=1))
    plan_account(account.pk, timezone.now() + timedelta(days=2, seconds=2))

    assert (first, again, second) == (3, 0, 3)
    recipients = [arrival.recipients[0] for arrival in sink.arrivals]
    assert sorted(recipients) == sorted(2 * [contact.email for contact in contacts])
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.FINISHED
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"finished"}
    assert Event.objects.filter(name="message.sent").count() == 6


def test_a_follow_up_continues_the_thread(campaign, account, user, sink):
    started(campaign, [ContactFactory(account=account, first_name="Grace")], user)

    run(campaign)
    run(campaign, timezone.now() + timedelta(days=2, seconds=1))

    first, second = Message.objects.order_by("step_number")
    data = sink.arrivals[1].data
    assert b"Subject: Re: Hello Grace" in data
    assert f"In-Reply-To: {first.message_id}".encode() in data
    assert f"References: {first.message_id}".encode() in data
    assert second.subject == "Re: Hello Grace"


def test_a_contact_without_the_variable_is_held_and_not_mailed(campaign, account, user, sink):
    started(campaign, [ContactFactory(account=account, first_name="")], user)

    run(campaign)

    assert sink.arrivals == []
    enrolment = Enrolment.objects.get()
    assert enrolment.state == Enrolment.State.HELD
    assert "first_name" in enrolment.reason


def test_a_lost_answer_after_the_dot_is_ambiguous_and_never_sent_again(campaign, account, user, sink):
    started(campaign, [ContactFactory(account=account)], user)
    sink.answers["dot"] = [Drop("rst"), "250 2.0.0 taken"]

    run(campaign)
    run(campaign, timezone.now() + timedelta(hours=3))

    assert Message.objects.get().state == "ambiguous"
    assert len(sink.arrivals) == 1
    assert Enrolment.objects.get().state == Enrolment.State.IN_FLIGHT


def test_an_ambiguous_message_that_arrived_lets_the_sequence_go_on(campaign, account, user, sink):
    started(campaign, [ContactFactory(account=account)], user)
    sink.answers["dot"] = [Drop("rst"), "250 2.0.0 taken"]
    run(campaign)

    settle(Message.objects.get(), by=user, outcome="arrived")
    plan_account(account.pk, timezone.now())

    assert Message.objects.get().state == "sent"
    assert Enrolment.objects.get().step_number == 2
    assert Event.objects.filter(name="message.settled").get().data["outcome"] == "arrived"


def test_an_ambiguous_message_is_sent_again_only_when_a_person_says_so(campaign, account, user, sink):
    started(campaign, [ContactFactory(account=account)], user)
    sink.answers["dot"] = [Drop("rst"), "250 2.0.0 taken"]
    run(campaign)

    settle(Message.objects.get(), by=user, outcome="send_again")
    sent = run(campaign)

    assert sent == 1
    assert len(sink.arrivals) == 2
    assert sink.arrivals[0].data.count(b"Message-ID") == 1
    with pytest.raises(Invalid, match="only an ambiguous one"):
        settle(Message.objects.get(), by=user, outcome="arrived")


def test_a_worker_that_died_before_the_dot_loses_nothing(campaign, account, user, sink):
    started(campaign, ContactFactory.create_batch(2, account=account), user)
    plan_account(account.pk, timezone.now())
    with every_account():
        claim_batch(timezone.now() + SECOND)
    Message.objects.update(lease_until=timezone.now() - timedelta(minutes=5))

    with every_account():
        released = release_expired()
    sent = run(campaign)

    assert (released, sent) == (2, 2)
    assert CapCounter.objects.get(scope__startswith="mailbox").used == 2


def test_a_worker_that_died_after_the_dot_leaves_an_ambiguous_message(campaign, account, user, sink):
    started(campaign, [ContactFactory(account=account)], user)
    plan_account(account.pk, timezone.now())
    with every_account():
        claim_batch(timezone.now() + SECOND)
    Message.objects.update(state="sending", lease_until=timezone.now() - timedelta(minutes=5))

    with every_account():
        lost = expire_sending()

    assert lost == 1
    assert Message.objects.get().state == "ambiguous"
    assert run(campaign) == 0


def test_a_mailbox_never_exceeds_its_daily_limit(campaign, account, user, sink, mailbox):
    EmailAccount.objects.update(daily_limit=2)
    started(campaign, ContactFactory.create_batch(5, account=account), user)
    noon = noon_after_enrolling()

    sent = [run(campaign, noon + timedelta(days=day)) for day in range(3)]

    assert sent == [2, 2, 2]  # on the third day follow-ups come first


def test_a_campaign_never_exceeds_its_daily_limit(campaign, account, user, sink):
    Campaign.objects.update(daily_limit=1)
    started(campaign, ContactFactory.create_batch(2, account=account), user)
    noon = noon_after_enrolling()

    sent = [run(campaign, noon + timedelta(hours=hour)) for hour in (0, 1, 24)]

    assert sent == [1, 0, 1]


def test_an_unknown_recipient_is_suppressed(campaign, account, user, sink):
    contact = ContactFactory(account=account)
    started(campaign, [contact], user)
    sink.answers["RCPT"] = "550 5.1.1 no such user"

    run(campaign)

    assert Message.objects.get().state == "failed"
    contact.refresh_from_db()
    assert contact.status == Contact.Status.BOUNCED
    assert Enrolment.objects.get().state == Enrolment.State.STOPPED


def test_a_refused_login_pauses_the_mailbox_and_fails_no_message(campaign, account, user, sink, mailbox):
    EmailAccount.objects.update(smtp_username="sam")
    mailbox.refresh_from_db()
    mailbox.smtp_password = "wrong"
    mailbox.save()

    started(campaign, ContactFactory.create_batch(3, account=account), user)

    run(campaign)

    mailbox.refresh_from_db()
    assert mailbox.paused_at is not None
    assert "who are you" in mailbox.pause_reason or "AUTH" in mailbox.pause_reason
    assert not Message.objects.filter(state="failed").exists()
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"waiting"}


def test_a_temporary_refusal_is_tried_again_later(campaign, account, user, sink):
    started(campaign, [ContactFactory(account=account)], user)
    sink.answers["RCPT"] = ["451 4.7.1 come back later", "250 ok"]

    now = run(campaign)
    later = run(campaign, timezone.now() + timedelta(minutes=10))

    assert (now, later) == (0, 1)
    assert Message.objects.get().attempts == 1


def test_an_unsubscribed_contact_gets_nothing_more(campaign, account, user, sink):
    contact = ContactFactory(account=account)
    started(campaign, [contact], user)
    plan_account(account.pk, timezone.now())

    suppress(account.pk, contact.email, cause="unsubscribed", source="a test")

    assert run(campaign) == 0
    assert Message.objects.get().state == "cancelled"
    assert Enrolment.objects.get().reason == "unsubscribed"


def test_a_blocked_domain_gets_nothing_more(campaign, account, user, sink):
    started(campaign, [ContactFactory(account=account, email="a@blocked.example")], user)
    plan_account(account.pk, timezone.now())

    block(account, by=user, value="blocked.example")

    assert run(campaign) == 0
    assert Enrolment.objects.get().state == Enrolment.State.STOPPED


def test_a_paused_campaign_sends_nothing_and_goes_on_where_it_was(campaign, account, user, sink):
    started(campaign, ContactFactory.create_batch(2, account=account), user)
    plan_account(account.pk, timezone.now())

    pause_campaign(campaign, by=user)
    while_paused = run(campaign)
    start_campaign(campaign, by=user)

    assert while_paused == 0
    assert run(campaign) == 2


def test_a_campaign_does_not_start_without_a_postal_address(campaign, account, user):
    account.postal_address = ""
    account.save()
    campaign.account.refresh_from_db()

    with pytest.raises(Invalid, match="postal address"):
        start_campaign(campaign, by=user)

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT


def test_nothing_is_sent_outside_the_windows(campaign, account, user, sink):
    campaign.windows = [{"days": ["mon"], "from": "09:00", "to": "10:00"}]
    campaign.save()
    started(campaign, [ContactFactory(account=account)], user)
    monday = timezone.now() + timedelta(days=(7 - timezone.now().weekday()))
    nine = monday.replace(hour=9, minute=0, second=0, microsecond=0)

    sent = [
        run(campaign, moment) for moment in (nine - timedelta(minutes=16), nine, nine + timedelta(hours=1))
    ]

    assert sent == [0, 1, 0]


def test_a_follow_up_without_a_delay_goes_a_quarter_of_an_hour_after_its_mail(account, user, mailbox, sink):
    campaign = create_campaign(
        account,
        by=user,
        name="Quick",
        steps=[{"subject": "One", "body": "first"}, {"subject": "", "body": "second"}],
        mailboxes=[mailbox],
    )
    started(campaign, [ContactFactory(account=account)], user)

    first = run(campaign)
    at_once = run(campaign)
    second = run(campaign, timezone.now() + timedelta(minutes=15, seconds=1))

    assert (first, at_once, second) == (1, 0, 1)
    assert [b"Subject: One" in arrival.data for arrival in sink.arrivals] == [True, False]


def test_a_contact_whose_missing_name_was_filled_in_is_mailed(campaign, account, user, sink):
    contact = ContactFactory(account=account, first_name="")
    started(campaign, [contact], user)
    run(campaign)

    update_contact(contact, by=user, first_name="Grace")

    assert run(campaign) == 1
    assert b"Subject: Hello Grace" in sink.arrivals[0].data


def test_new_words_release_those_who_were_held_for_the_old_ones(campaign, account, user, sink):
    started(campaign, [ContactFactory(account=account, first_name="")], user)
    run(campaign)

    update_campaign(
        campaign,
        by=user,
        steps=[{"subject": "Hello", "body": "Dear reader"}, {"subject": "", "body": "Again"}],
    )

    assert run(campaign) == 1
