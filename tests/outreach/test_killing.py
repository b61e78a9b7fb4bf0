"""Workers as real processes that are killed, or stopped for longer than their lease, while they send."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from crm.models import Contact
from outreach.campaigns import create_campaign, start_campaign
from outreach.claiming import claim_batch, release_expired
from outreach.enrolling import enrol
from outreach.models import CapCounter, Message
from outreach.planning import plan_account
from outreach.sending import send_batch
from outreach.settling import expire_sending
from outreach.template_mail import send_template
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.factories import ContactFactory, EmailTemplateFactory, LeadFactory, MailboxFactory
from tests.outreach.processes import Workers, wait_until
from tests.sinks import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.end_to_end]


@pytest.fixture
def workers() -> Iterator[Callable[[float], Workers]]:
    made: list[Workers] = []

    def make(lease: float) -> Workers:
        made.append(Workers(lease))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def planned(account, user, sink: SmtpSink, contacts: int, mailboxes: int) -> None:
    boxes = MailboxFactory.create_batch(mailboxes, account=account, smtp_port=sink.port)
    campaign = create_campaign(
        account,
        by=user,
        name="Spring",
        steps=[{"subject": "Hello {{ first_name }}", "body": "Dear {{ first_name }}, a question."}],
        mailboxes=boxes,
        daily_limit=100_000,
    )
    ContactFactory.create_batch(contacts, account=account)
    enrol(campaign, Contact.objects.all(), by=user)
    start_campaign(campaign, by=user)
    assert plan_account(account.pk, timezone.now()) == contacts


def test_killed_workers_mail_nobody_twice_and_lose_nobody(account, user, sink, workers):
    planned(account, user, sink, contacts=1500, mailboxes=12)
    herd, chance, kills = workers(3.0), random.Random(20), 0
    for _ in range(3):
        herd.start()
    ends = time.monotonic() + 55
    open_rows = Message.objects.filter(state__in=Message.OPEN)

    while open_rows.exists():
        assert time.monotonic() < ends, f"{open_rows.count()} messages are still open"
        threading.Event().wait(0.3)
        if kills < 40:
            herd.kill(chance.choice(herd.alive))
            herd.start()
            kills += 1

    states = dict(Message.objects.values_list("to_address", "state"))
    arrived = Counter(arrival.recipients[0] for arrival in sink.arrivals)
    sent = {address for address, state in states.items() if state == "sent"}
    ambiguous = {address for address, state in states.items() if state == "ambiguous"}
    assert [address for address, times in arrived.items() if times > 1] == []
    assert len(states) == len(sent) + len(ambiguous) == 1500
    assert sent <= set(arrived) <= sent | ambiguous
    assert len(ambiguous) <= kills
    assert kills >= 3
    assert Event.objects.filter(name="message.sent").count() == len(sent)
    assert sum(CapCounter.objects.filter(scope__startswith="mailbox").values_list("used", flat=True)) == 1500
    assert CapCounter.objects.get(scope__startswith="campaign").used == 1500


def test_a_worker_stopped_before_the_dot_for_longer_than_its_lease_sends_nothing(
    account, user, sink, workers
):
    planned(account, user, sink, contacts=3, mailboxes=1)
    herd, stopped = workers(1.0), threading.Event()

    def stop_once(_: str) -> str:
        if not stopped.is_set():
            herd.pause(herd.oldest())
            stopped.set()
        return "250 2.1.5 ok"

    sink.answers["RCPT"] = stop_once
    first = herd.start()
    assert stopped.wait(20)

    wait_until(lambda: released() > 0, 20)
    with every_account():
        batch = claim_batch(timezone.now() + timedelta(seconds=1))
    taken_over = send_batch(batch)
    os.kill(first, signal.SIGCONT)
    sink.finish()

    assert taken_over == 3
    assert sorted(arrival.recipients[0] for arrival in sink.arrivals) == sorted(
        Message.objects.filter(state="sent").values_list("to_address", flat=True)
    )
    assert len(sink.arrivals) == 3


def test_a_worker_stopped_after_the_dot_for_longer_than_its_lease_tells_the_truth_later(
    account, user, sink, workers
):
    planned(account, user, sink, contacts=1, mailboxes=1)
    herd, stopped = workers(1.0), threading.Event()

    def stop_worker(_: str) -> str:
        herd.pause(herd.oldest())
        stopped.set()
        return "250 2.0.0 queued"

    sink.answers["dot"] = stop_worker
    first = herd.start()
    assert stopped.wait(20)

    wait_until(lambda: lost() > 0, 20)
    in_between = Message.objects.get().state
    os.kill(first, signal.SIGCONT)
    wait_until(lambda: Message.objects.get().state == "sent", 20)

    assert in_between == "ambiguous"
    assert len(sink.arrivals) == 1


def written_to_a_lead(account, user, sink: SmtpSink) -> Message:
    MailboxFactory(account=account, smtp_port=sink.port, owner=user)
    contact = ContactFactory(account=account)
    lead = LeadFactory(account=account, owner=user, contact=contact)
    return send_template(EmailTemplateFactory(account=account), lead, by=user)


def test_a_worker_killed_before_the_dot_leaves_the_mail_to_a_lead_to_the_next(account, user, sink, workers):
    message = written_to_a_lead(account, user, sink)
    herd, killed = workers(1.0), threading.Event()

    def kill_once(_: str) -> str:
        if not killed.is_set():
            herd.kill(herd.oldest())
            killed.set()
        return "250 2.1.5 ok"

    sink.answers["RCPT"] = kill_once
    herd.start()
    assert killed.wait(20)
    herd.start()

    wait_until(lambda: Message.objects.get(pk=message.pk).state == "sent", 20)
    sink.finish()

    assert len(sink.arrivals) == 1
    assert Event.objects.filter(name="message.sent").count() == 1


def test_a_worker_killed_at_the_dot_leaves_a_doubt_and_no_second_mail_to_a_lead(account, user, sink, workers):
    message = written_to_a_lead(account, user, sink)
    herd, killed = workers(1.0), threading.Event()

    def kill_once(_: str) -> str:
        herd.kill(herd.oldest())
        killed.set()
        return "250 2.0.0 queued"

    sink.answers["dot"] = kill_once
    herd.start()
    assert killed.wait(20)
    herd.start()

    wait_until(lambda: Message.objects.get(pk=message.pk).state == "ambiguous", 20)
    herd.stop()

    assert len(sink.arrivals) == 1
    assert (
        Event.objects.filter(name__in=["message.sent", "message.ambiguous"]).get().name == "message.ambiguous"
    )


def released() -> int:
    with every_account():
        return release_expired()


def lost() -> int:
    with every_account():
        return expire_sending()
