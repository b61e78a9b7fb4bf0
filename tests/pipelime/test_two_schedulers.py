"""Two schedulers, by mistake or for safety: every bell rings twice at once, and all work is done once."""

from __future__ import annotations

import pytest
from django.utils.module_loading import import_string

from crm.models import Contact, ContactEmail, ImportJob
from outreach.campaigns import create_campaign, start_campaign
from outreach.enrolling import enrol
from outreach.models import Message
from pipelime.celery import BELLS, app
from pipelime.events.models import Event
from tests.crm.importing.engine import uploaded
from tests.factories import ContactFactory, EndpointFactory, MailboxFactory
from tests.receivers import HttpReceiver
from tests.sinks import SmtpSink
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)

MOST_TICKS = 20  # a mail's slot may lie a second ahead, and its webhook comes after it


def tick() -> None:
    """What follows when a scheduler rings every bell."""
    for task in BELLS:
        import_string(task)()


def test_two_schedulers_do_all_work_once(account, user, settings, folder, monkeypatch):
    monkeypatch.setattr(app, "send_task", lambda *args, **kwargs: None)
    with SmtpSink() as sink, HttpReceiver(200) as receiver:
        settings.OUTBOUND_ALLOW = ["127.0.0.1"]
        EndpointFactory(account=account, url=receiver.url, events=["message.sent"])
        job = uploaded(account, "first name,email\nAda,ada@example.com\n")
        mailbox = MailboxFactory(account=account, smtp_port=sink.port)
        steps = [{"subject": "Hello", "body": "A question."}]
        campaign = create_campaign(account, by=user, name="Spring", steps=steps, mailboxes=[mailbox])
        grace = ContactFactory(account=account)
        enrol(campaign, Contact.objects.filter(pk=grace.pk), by=user)
        start_campaign(campaign, by=user)

        for _ in range(MOST_TICKS):
            all_at_once([tick, tick])
            if receiver.requests:
                break
        all_at_once([tick, tick])  # once more, with nothing left to do
        sink.finish()

    assert [arrival.recipients for arrival in sink.arrivals] == [(grace.email,)]
    assert Message.objects.get().state == "sent"
    assert Event.objects.filter(name="message.sent").count() == 1
    assert len(receiver.requests) == 1
    assert ImportJob.objects.get(pk=job.pk).created == 1
    assert ContactEmail.objects.filter(address="ada@example.com").count() == 1
