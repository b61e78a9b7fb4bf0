"""A campaign on LinkedIn with one contact in it; a profile that a provider works, one that people work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from outreach.linkedin.claiming import claim_next
from outreach.linkedin.working import work
from outreach.models import Campaign, Enrolment, LinkedInAccount, Message
from pipelime.scope import every_account
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    LinkedInAccountFactory,
    MessageFactory,
    SequenceStepFactory,
)
from tests.unipile import UnipileStandIn

GRACE = "https://www.linkedin.com/in/grace-hopper"
TEXTS = {
    "linkedin_invitation": "Hello {{ first_name }}, may I?",
    "linkedin_message": "Thank you, {{ first_name }}. {{ sender.first_name }}",
    "call": "Ask {{ first_name }} about {{ company }}",
    "task": "Send {{ first_name }} a card",
}


@pytest.fixture
def unipile(settings) -> Iterator[UnipileStandIn]:
    with UnipileStandIn() as stand_in:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{stand_in.port}"]
        yield stand_in


@pytest.fixture
def by_hand(account, user) -> LinkedInAccount:
    return LinkedInAccountFactory(account=account, name="Ada Lovelace", owner=user)


@pytest.fixture
def worked(account, user, unipile) -> LinkedInAccount:
    """Its provider is the stand-in."""
    return LinkedInAccountFactory(
        account=account, name="Ada Lovelace", owner=user, provider="unipile",
        provider_url=unipile.url.rstrip("/"), provider_account="acc-1", provider_key="k3y", hook_key="hook",
    )  # fmt: skip


@pytest.fixture
def campaign(account) -> Campaign:
    campaign = CampaignFactory(account=account, name="Spring", status="STARTED")
    for number, (channel, text) in enumerate(TEXTS.items(), 1):
        variants = [{"key": "A", "weight": 1, "subject": "", "body": text}]
        SequenceStepFactory(
            account=account, campaign=campaign, number=number, channel=channel, variants=variants
        )
    return campaign


@pytest.fixture
def enrolment(account, campaign) -> Enrolment:
    contact = ContactFactory(account=account, first_name="Grace", last_name="Hopper", linkedin_url=GRACE)
    return EnrolmentFactory(account=account, campaign=campaign, contact=contact, state="in_flight")


@pytest.fixture
def step(account, enrolment) -> Callable[..., Message]:
    """A message of the campaign's step on this channel, as the planner writes it."""

    def make(channel: str, sender: LinkedInAccount | None = None, **values: Any) -> Message:
        is_worked = sender is not None and bool(sender.provider)
        number = list(TEXTS).index(channel) + 1
        place = values.get("enrolment", enrolment)
        Enrolment.objects.filter(pk=place.pk).update(step_number=number, linkedin_account=sender)
        facts = {
            "enrolment": place, "channel": channel, "step_number": number, "mailbox": None, "to_address": "",
            "to_name": "Grace Hopper", "from_address": sender.name if sender else "",
            "linkedin_account": sender, "state": "queued" if is_worked else "todo",
            "assignee": None if is_worked or sender is None else sender.owner,
        }  # fmt: skip
        return MessageFactory(account=account, **facts | values)

    return make


@pytest.fixture
def run() -> Callable[[], int]:
    """What a worker does until nothing is due."""

    def until_nothing_is_due() -> int:
        done = 0
        while message := claimed():
            done += work(message)
        return done

    return until_nothing_is_due


def claimed() -> Message | None:
    with every_account():
        return claim_next(timezone.now())
