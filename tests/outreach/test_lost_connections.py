"""PostgreSQL ends connections at any instant: nobody is mailed twice, and what was acknowledged is stored."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import count

import pytest
from django.db import Error, connection, connections
from django.utils import timezone
from rest_framework.test import APIClient

from crm.models import Contact, ContactEmail
from outreach import tasks
from outreach.campaigns import create_campaign, start_campaign
from outreach.enrolling import enrol
from outreach.models import Message
from outreach.planning import plan_account
from pipelime.scope import every_account
from tests.factories import ContactFactory, MailboxFactory
from tests.outreach.processes import wait_until
from tests.threads import all_at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connections to end"),
]

MAILS, ENOUGH = 60, 25
END_ALL = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def planned(account, user, sink, settings, monkeypatch) -> None:
    settings.LEASE = timedelta(seconds=1)
    monkeypatch.setattr(tasks, "ring_now", lambda task: True)
    boxes = MailboxFactory.create_batch(4, account=account, smtp_port=sink.port)
    steps = [{"subject": "Hello", "body": "A question."}]
    campaign = create_campaign(account, by=user, name="Spring", steps=steps, mailboxes=boxes)
    ContactFactory.create_batch(MAILS, account=account)
    enrol(campaign, Contact.objects.all(), by=user)
    start_campaign(campaign, by=user)
    plan_account(account.pk, timezone.now())


def is_open() -> bool:
    with every_account():
        return Message.objects.filter(state__in=Message.OPEN).exists()


class Life:
    """Workers, a client of the API, and somebody who ends their connections, until all mail has gone."""

    def __init__(self, raw_key: str):
        self.over = threading.Event()
        self.acknowledged: list[str] = []
        self.client = APIClient(raise_request_exception=False)
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {raw_key}")

    def send(self) -> None:
        """As a thread of a worker does: a task that fails costs its connection, and the next one begins."""
        while not self.over.is_set():
            try:
                tasks.send_due()
            except Error:
                connections.close_all()
            self.over.wait(0.05)

    def write(self) -> None:
        for number in count():
            if self.over.is_set():
                return
            address = f"new{number}@example.org"
            if self.client.post("/api/contacts", {"email": address}, format="json").status_code == 201:
                self.acknowledged.append(address)
            else:
                connections.close_all()  # as a server does between two requests, and a test client does not

    def cut(self) -> None:
        try:
            ended = 0
            while ended < ENOUGH:
                with connection.cursor() as cursor:
                    cursor.execute(END_ALL)
                    ended += cursor.fetchone()[0]
                self.over.wait(0.02)
            wait_until(lambda: not is_open(), 30)
        finally:
            self.over.set()


def test_connections_that_are_cut_all_the_time_lose_and_double_nothing(planned, sink, raw_key):
    life = Life(raw_key)

    connection.close()  # or it would be cut as well
    all_at_once([life.send, life.send, life.write, life.cut])
    sink.finish()

    states = dict(Message.objects.values_list("to_address", "state"))
    arrived = [arrival.recipients[0] for arrival in sink.arrivals]
    assert len(states) == MAILS
    assert set(states.values()) <= {"sent", "ambiguous"}
    assert len(arrived) == len(set(arrived))
    assert {address for address, state in states.items() if state == "sent"} <= set(arrived)
    stored = ContactEmail.objects.filter(address__in=life.acknowledged)
    assert stored.count() == len(life.acknowledged) > 0
