"""A campaign with two steps, a mailbox, and a sink that its mail goes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from crm.models import Contact
from outreach.campaigns import create_campaign, start_campaign
from outreach.claiming import claim_batch
from outreach.enrolling import enrol
from outreach.models import Campaign, EmailAccount
from outreach.planning import plan_account
from outreach.sending import send_batch
from pipelime.scope import every_account
from tests.factories import ContactFactory, MailboxFactory
from tests.sinks import SmtpSink

SECOND = timedelta(seconds=1)


@pytest.fixture
def sink(settings) -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{sink.port}"]
        yield sink


@pytest.fixture
def mailbox(account, sink) -> EmailAccount:
    return MailboxFactory(account=account, smtp_port=sink.port)


@pytest.fixture
def campaign(account, user, mailbox) -> Campaign:
    return create_campaign(
        account,
        by=user,
        name="Spring",
        steps=[
            {"subject": "Hello {{ first_name }}", "body": "Dear {{ first_name }}, a question."},
            {"delay": {"days": 2}, "body": "Did you see this, {{ first_name }}?"},
        ],
        mailboxes=[mailbox],
    )


@pytest.fixture
def started(account, user, campaign) -> Callable[..., list[Contact]]:
    """Enrols so many new contacts and starts the campaign."""

    def start(count: int = 1) -> list[Contact]:
        contacts = ContactFactory.create_batch(count, account=account)
        enrol(campaign, Contact.objects.filter(pk__in=[contact.pk for contact in contacts]), by=user)
        start_campaign(campaign, by=user)
        return contacts

    return start


@pytest.fixture
def run() -> Callable[..., int]:
    """One round as workers make it: plan, then send whatever is due. Slots fall on whole seconds."""

    def round_of(campaign: Campaign, now: datetime | None = None) -> int:
        now = now or timezone.now()
        plan_account(campaign.account_id, now)
        sent = 0
        while batch := claim(now + SECOND):
            sent += send_batch(batch)
        return sent

    return round_of


def claim(now: datetime | None = None, limit: int = 100):
    with every_account():
        return claim_batch(now or timezone.now() + SECOND, limit)
