"""One connection's walk through a batch: what a letter, a server or a pause can spoil, and what it cannot."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from outreach import letters, sending, tasks
from outreach.blocking import suppress
from outreach.claiming import claim_batch
from outreach.models import EmailAccount, Enrolment, Message
from outreach.planning import plan_account
from outreach.sending import send_batch
from pipelime.accounts.settings import resume, suspend
from pipelime.scope import every_account
from tests.factories import MailboxFactory


def claimed(account):
    plan_account(account.pk, timezone.now())
    with every_account():
        return claim_batch(timezone.now() + timedelta(seconds=1))


def states() -> list[str]:
    return sorted(Message.objects.values_list("state", flat=True))


def test_a_letter_that_cannot_be_written_does_not_stop_the_others(account, started, sink, monkeypatch):
    unlucky, *_ = started(3)
    write = letters.write

    def fail_for_one(message, *args):
        if message.to_address == unlucky.email:
            raise RuntimeError("a fault of ours")
        return write(message, *args)

    monkeypatch.setattr(letters, "write", fail_for_one)

    sent = send_batch(claimed(account))

    assert sent == 2
    held = Enrolment.objects.get(state="held")
    assert held.address == unlucky.email
    assert held.reason == "the letter could not be written (RuntimeError); the log says more"


def test_an_address_refused_after_it_was_unsubscribed_does_not_stop_the_others(
    account, started, sink, monkeypatch
):
    first, *_ = started(2)
    sink.answers["RCPT"] = {first.email: "550 5.1.1 nobody here"}
    write = letters.write

    def unsubscribe_meanwhile(message, *args):
        if message.to_address == first.email:
            suppress(account.pk, first.email, cause="unsubscribed", source="a test")
        return write(message, *args)

    monkeypatch.setattr(letters, "write", unsubscribe_meanwhile)

    sent = send_batch(claimed(account))

    assert sent == 1
    assert states() == ["cancelled", "sent"]


def test_after_a_pause_before_the_dot_nothing_is_given_over(account, started, sink, monkeypatch):
    started(2)
    monkeypatch.setattr(sending, "DOT_SECONDS", -1.0)

    sent = send_batch(claimed(account))

    assert (sent, states()) == (0, ["queued", "queued"])
    assert sink.arrivals == []


def test_a_slow_server_gets_its_turn_and_not_more(account, started, sink, monkeypatch):
    started(3)
    monkeypatch.setattr(sending, "TURN_SECONDS", -1.0)

    sent = send_batch(claimed(account))

    assert (sent, states()) == (0, ["queued"] * 3)


def test_what_else_is_due_waits_with_the_batch_that_met_a_closed_door(account, started, sink):
    started(5)
    EmailAccount.objects.update(smtp_port=1)
    plan_account(account.pk, timezone.now())
    with every_account():
        batch = claim_batch(timezone.now() + timedelta(seconds=1), 2)

    send_batch(batch)

    assert states() == ["queued"] * 5
    assert len(set(Message.objects.values_list("due_at", "attempts"))) == 1
    assert Message.objects.first().due_at > timezone.now() + timedelta(seconds=25)


def test_a_suspended_account_sends_nothing_more(account, user, started, sink, campaign, run):
    started(3)
    batch = claimed(account)

    suspend(account, by=user)
    meanwhile = (send_batch(batch), run(campaign))
    resume(account, by=user)

    assert meanwhile == (0, 0)
    assert run(campaign) == 3


def test_a_claim_that_was_made_beside_a_suspension_looks_at_the_account_before_it_sends(
    account, started, sink
):
    started(3)
    batch = claimed(account)
    type(account).objects.filter(pk=account.pk).update(suspended_at=timezone.now())

    sent = send_batch(batch)

    assert (sent, states()) == (0, ["queued"] * 3)


def test_whoever_unsubscribes_while_the_batch_is_under_way_gets_nothing(account, started, sink):
    first, second = started(2)
    batch = claimed(account)
    suppress(account.pk, second.email, cause="unsubscribed", source="a test")

    sent = send_batch(batch)

    assert sent == 1
    assert [arrival.recipients for arrival in sink.arrivals] == [(first.email,)]


def test_a_batch_that_fails_leaves_the_other_mailboxes_their_turn(
    account, user, started, sink, campaign, monkeypatch
):
    campaign.mailboxes.add(MailboxFactory(account=account, smtp_port=sink.port))
    started(4)
    Enrolment.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    plan_account(account.pk, timezone.now() - timedelta(seconds=30))
    broken = EmailAccount.objects.order_by("pk").first()

    def fail_for_one(batch) -> int:
        if batch.mailbox.pk == broken.pk:
            raise RuntimeError("a fault of ours")
        return send_batch(batch)

    monkeypatch.setattr(tasks, "send_batch", fail_for_one)
    monkeypatch.setattr(tasks, "ring_now", lambda task: True)

    sent = tasks.send_due()

    assert sent == 2
    assert states() == ["claimed", "claimed", "sent", "sent"]


@pytest.mark.parametrize("limit", [1, 2])
def test_a_task_does_not_turn_round_and_round_over_what_a_limit_forbids(
    account, started, sink, monkeypatch, limit
):
    started(4)
    Enrolment.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    plan_account(account.pk, timezone.now() - timedelta(seconds=30))
    EmailAccount.objects.update(daily_limit=limit)
    rung = []
    monkeypatch.setattr(tasks, "ring_now", lambda task: rung.append(task) or True)

    sent = tasks.send_due()

    assert (sent, len(rung)) == (limit, 1)
