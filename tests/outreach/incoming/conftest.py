"""One mail that was sent to Grace, to which everything in the corpus is an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from crm.models import Contact
from outreach.models import Campaign, EmailAccount, Message
from outreach.unsubscribing import token_for
from tests.factories import (
    CampaignFactory,
    CompanyFactory,
    ContactFactory,
    EnrolmentFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)

CORPUS = Path(__file__).parent / "corpus"
NOW = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)  # a Friday
SENT = NOW - timedelta(minutes=15)
UID = UUID("0193476a-5c00-7b2e-9d11-4f6a0c3b2a01")


def letter(name: str) -> bytes:
    raw = (CORPUS / f"{name}.eml").read_bytes()
    return raw.replace(b"{token}", token_for(UID).encode())


@pytest.fixture(autouse=True)
def clock(time_machine) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def mailbox(account) -> EmailAccount:
    return MailboxFactory(account=account, email="sam@sender.example")


@pytest.fixture
def campaign(account, mailbox) -> Campaign:
    weekdays = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}]
    campaign = CampaignFactory(account=account, status="STARTED", windows=weekdays, name="Spring")
    campaign.mailboxes.add(mailbox)
    for number in (1, 2):
        SequenceStepFactory(account=account, campaign=campaign, number=number)
    return campaign


@pytest.fixture
def grace(account) -> Contact:
    company = CompanyFactory(account=account, name="Navy")
    return ContactFactory(account=account, email="grace@example.com", first_name="Grace", company=company)


@pytest.fixture
def message(account, campaign, mailbox, grace) -> Message:
    """The first step, sent; the second one waits."""
    place = EnrolmentFactory(
        account=account,
        campaign=campaign,
        contact=grace,
        address="grace@example.com",
        mailbox=mailbox,
        step_number=2,
        due_at=NOW + timedelta(days=2),
    )
    return MessageFactory(
        account=account,
        uid=UID,
        enrolment=place,
        mailbox=mailbox,
        state="sent",
        sent_at=SENT,
        subject="Hello Grace",
        message_id=f"<{UID}@sender.example>",
        followed_up=True,
    )
