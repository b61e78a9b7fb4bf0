"""Somebody who was written to, and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from crm.models import Contact
from outreach.models import EmailAccount, Incoming
from tests.factories import ContactFactory, MailboxFactory

NOON = datetime(2030, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def mailbox(account) -> EmailAccount:
    return MailboxFactory(account=account, email="sam@sender.example", name="Sam Sender")


@pytest.fixture
def ada(account) -> Contact:
    return ContactFactory(
        account=account, first_name="Ada", last_name="Lovelace", email="Ada@Example.com", job_title="Countess"
    )


@pytest.fixture
def answer(account, mailbox, ada) -> Callable[..., Incoming]:
    """An answer of Ada's that is stored, and filed nowhere yet."""
    count = iter(range(100))

    def make(text: str = "Tell me more.", **values) -> Incoming:
        number = next(count)
        facts = {
            "account": account, "kind": "reply", "mailbox": mailbox, "contact": ada, "text": text, "at": NOON,
            "from_address": "ada@example.com", "from_name": "Ada", "subject": "Re: Hello",
            "digest": f"answer{number}", "external_id": f"<answer{number}@example.com>",
        }  # fmt: skip
        return Incoming.objects.create(**facts | values)

    return make
