"""A lead whose owner has a mailbox, and a template to write to it with."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from crm.fields import create_field
from crm.leads import create_lead
from crm.models import Lead
from outreach.models import EmailAccount, EmailTemplate, Message
from outreach.sending import send_batch
from outreach.template_mail import send_template
from outreach.templates import create_template, update_template
from pipelime.events.models import Event
from tests.factories import (
    MailboxFactory,
    StepFactory,
)
from tests.outreach.conftest import claim

ADDRESS = "ada@example.com"
DESCRIPTION = f"First name: Ada\nEmail: {ADDRESS}\nBudget: 900 EUR"


@pytest.fixture
def mailbox(account, seller, sink) -> EmailAccount:
    return MailboxFactory(account=account, smtp_port=sink.port, owner=seller, email="zoe@example.org")


@pytest.fixture
def lead(account, user, seller, mailbox) -> Lead:
    for name, meaning in (("First name", "first_name"), ("Email", "email"), ("Budget", "")):
        create_field(account, by=user, kind="lead", name=name, meaning=meaning)
    step = StepFactory(account=account)
    facts = {"title": "Loretta Inc.", "owner": seller, "description": DESCRIPTION, "step": step}
    return create_lead(account, by=user, **facts)


@pytest.fixture
def template(account, user) -> EmailTemplate:
    return create_template(
        account,
        by=user,
        name="Offer",
        subject="{{ lead.title }} for {{ first_name }}",
        body="Dear {{ first_name }},\n\nabout {{ fields.budget }}.\n\n{{ user.email }}",
    )


@pytest.fixture
def send(template, lead, seller) -> Callable[[], Message]:
    return lambda: send_template(template, lead, by=seller)


def run() -> int:
    batch = claim()
    return send_batch(batch) if batch else 0


def arrived(sink) -> list[EmailMessage]:
    sink.finish()
    return [message_from_bytes(arrival.data, policy=default) for arrival in sink.arrivals]


def history(lead: Lead) -> list[str]:
    events = Event.objects.history_of(lead).filter(subject_type="message").order_by("pk")
    return list(events.values_list("name", flat=True))


def reworded(template: EmailTemplate, **words: str) -> EmailTemplate:
    return update_template(template, by=template.created_by, **words)
