"""The way of a mail to one lead through the ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.leads import delete_lead
from crm.models import Lead
from outreach.blocking import block, suppress
from outreach.claiming import release_expired
from outreach.mailboxes import delete_mailbox, pause_mailbox, resume_mailbox
from outreach.models import CapCounter, EmailAccount, EmailTemplate, Message
from outreach.planning import plan_account
from outreach.sending import send_batch
from outreach.settling import expire_sending, settle
from outreach.template_mail import send_template
from pipelime.accounts.models import Account
from pipelime.accounts.settings import resume, suspend
from pipelime.errors import Invalid
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.factories import (
    UserFactory,
)
from tests.outreach.conftest import claim
from tests.outreach.template_mail.conftest import ADDRESS, arrived, history, run


def refused_by_address(template: EmailTemplate, lead: Lead, by) -> str:
    with pytest.raises(Invalid) as refusal:
        send_template(template, lead, by=by)
    return str(refusal.value)


def test_a_mailbox_counts_it_and_no_campaign_does(send, mailbox):
    send()
    run()

    assert [(counter.scope, counter.used) for counter in CapCounter.objects.all()] == [
        (f"mailbox:{mailbox.pk}", 1)
    ]


def test_over_the_mailbox_s_day_it_waits_for_the_next(template, lead, seller, mailbox):
    EmailAccount.objects.filter(pk=mailbox.pk).update(daily_limit=1)
    first, second = (send_template(template, lead, by=seller) for _ in range(2))

    assert run() == 1

    first.refresh_from_db()
    second.refresh_from_db()
    tomorrow = timezone.now().date() + timedelta(days=1)
    assert (first.state, second.state, second.last_error) == ("sent", "queued", "over the daily limit")
    assert (second.due_at.date(), second.due_at.hour) == (tomorrow, 0)


def test_it_goes_in_one_batch_with_a_campaign_s_mail(send, account, started, lead, mailbox, sink):
    EmailAccount.objects.filter(pk=mailbox.pk).update(email="zoe@example.org")
    [contact] = started(1)
    send()
    plan_account(account.pk, timezone.now())

    batch = claim(timezone.now() + timedelta(minutes=2))

    assert len(batch.messages) == 2
    assert send_batch(batch) == 2
    assert {mail["Subject"] for mail in arrived(sink)} == {
        "Loretta Inc. for Ada",
        f"Hello {contact.first_name}",
    }
    assert plan_account(account.pk, timezone.now()) is not None


def test_it_is_sent_however_late(send):
    message = send()
    Message.objects.filter(pk=message.pk).update(due_at=timezone.now() - timedelta(hours=7))

    assert run() == 1


def test_a_closed_server_is_tried_again_later(send, mailbox, sink):
    message = send()
    EmailAccount.objects.filter(pk=mailbox.pk).update(smtp_port=1)

    run()

    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 1)
    assert message.due_at > timezone.now() + timedelta(seconds=20)


def test_a_refused_recipient_is_told_to_the_lead_and_not_written_to_again(send, lead, sink, template, seller):
    sink.answers["RCPT"] = "550 5.1.1 nobody here"
    message = send()

    run()

    message.refresh_from_db()
    assert message.state == "failed"
    assert history(lead) == ["message.queued", "message.failed", "message.bounced"]
    assert refused_by_address(template, lead, seller) == f"{ADDRESS} has bounced; it is not written to again"


@pytest.mark.parametrize("claimed", [False, True])
def test_whoever_says_no_before_it_goes_gets_nothing(send, account, lead, sink, claimed):
    message = send()
    batch = claim() if claimed else None

    suppress(account.pk, "ADA@example.com", cause="unsubscribed", source="a test")
    sent = send_batch(batch) if batch else run()

    message.refresh_from_db()
    assert (sent, sink.arrivals, message.state) == (0, [], "cancelled")
    assert history(lead) == ["message.queued", "message.failed"]
    assert Event.objects.get(name="message.failed").data["reason"] == "unsubscribed"
    assert not CapCounter.objects.filter(used__gt=0).exists()


def test_a_blocked_domain_takes_back_what_waits(send, account, user, lead):
    message = send()

    block(account, by=user, value="example.com")

    message.refresh_from_db()
    assert (message.state, message.last_error) == ("cancelled", "blocked")


def test_a_deleted_lead_gets_nothing_more(send, lead, user, sink):
    message = send()
    delete_lead(lead, by=user)

    run()

    message.refresh_from_db()
    assert (sink.arrivals, message.state, message.last_error) == ([], "cancelled", "the lead was deleted")


def test_a_pause_of_the_mailbox_is_waited_for(send, mailbox, user, sink):
    send()
    batch = claim()
    pause_mailbox(mailbox, by=user, reason="lunch")

    meanwhile = (send_batch(batch), run())
    resume_mailbox(mailbox, by=user)

    assert meanwhile == (0, 0)
    assert run() == 1
    assert len(sink.arrivals) == 1


def test_a_disconnected_mailbox_loses_nothing_silently(send, mailbox, user, lead):
    message = send()

    delete_mailbox(mailbox, by=user)

    message.refresh_from_db()
    assert (message.state, message.last_error) == ("cancelled", "the mailbox was disconnected")
    assert history(lead) == ["message.queued", "message.failed"]


def test_a_suspension_is_waited_for(send, account, user, sink):
    send()
    batch = claim()
    suspend(account, by=user)

    meanwhile = (send_batch(batch), run())
    resume(account, by=user)

    assert meanwhile == (0, 0)
    assert run() == 1
    assert len(sink.arrivals) == 1


def test_a_worker_that_dies_before_it_sends_leaves_it_to_the_next(send, sink):
    message = send()
    claim()
    Message.objects.filter(pk=message.pk).update(lease_until=timezone.now() - timedelta(minutes=2))

    with every_account():
        release_expired()

    assert run() == 1
    assert len(sink.arrivals) == 1
    assert CapCounter.objects.get().used == 1


def lost_while_sending(message: Message) -> None:
    claim()
    late = timezone.now() - timedelta(minutes=2)
    Message.objects.filter(pk=message.pk).update(state="sending", lease_until=late)
    with every_account():
        expire_sending()
    message.refresh_from_db()


def test_a_worker_that_dies_while_it_sends_leaves_a_doubt_and_no_second_mail(send, lead, sink):
    message = send()

    lost_while_sending(message)

    assert message.state == "ambiguous"
    assert run() == 0
    assert sink.arrivals == []
    assert history(lead) == ["message.queued", "message.ambiguous"]


@pytest.mark.parametrize(("outcome", "state", "sent"), [("arrived", "sent", 0), ("send_again", "queued", 1)])
def test_a_person_settles_the_doubt(send, seller, outcome, state, sent):
    message = send()
    lost_while_sending(message)

    settle(message, by=seller, outcome=outcome)

    assert message.state == state
    assert run() == sent
    message.refresh_from_db()
    assert message.state == "sent"


def test_nothing_is_sent_again_from_a_mailbox_that_is_gone(send, user, mailbox):
    message = send()
    lost_while_sending(message)
    delete_mailbox(mailbox, by=user)
    message.refresh_from_db()

    with pytest.raises(Invalid, match="is disconnected"):
        settle(message, by=user, outcome="send_again")

    message.refresh_from_db()
    assert message.state == "ambiguous"


def test_only_those_who_see_the_lead_see_its_mail(send, account, user, seller, started):
    started(1)
    plan_account(account.pk, timezone.now())
    message = send()
    account.lead_visibility = Account.Visibility.OWN
    account.save()
    other = UserFactory(account=account, is_admin=False)

    assert message in Message.objects.visible_to(seller)
    assert message in Message.objects.visible_to(user)
    assert [one.is_direct for one in Message.objects.visible_to(other)] == [False]
