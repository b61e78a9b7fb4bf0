"""A client of the vendor's API, and a campaign with a lead in it."""

import json

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from outreach.models import Campaign
from pipelime.api.sendpilot.events import dialect
from tests.factories import CampaignFactory, ContactFactory, EnrolmentFactory, LinkedInAccountFactory
from webhooks.endpoints import create_endpoint
from webhooks.models import Delivery

PROFILE = "https://www.linkedin.com/in/john-doe"


@pytest.fixture
def sendpilot(raw_key) -> APIClient:
    return APIClient(headers={"X-API-Key": raw_key})


@pytest.fixture
def listen(account, user, settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]

    def listen(*events, url="http://127.0.0.1:9/hook"):
        return create_endpoint(account, by=user, events=list(events), dialect="sendpilot", url=url)[0]

    return listen


def posted(delivery: Delivery, at=None) -> tuple[dict, dict]:
    """Headers and body of an attempt."""
    headers, body = dialect.sender(delivery.endpoint).request(delivery, at or timezone.now())
    return headers, json.loads(body)


@pytest.fixture
def sender(account):
    return LinkedInAccountFactory(account=account, name="Jane Smith")


@pytest.fixture
def campaign(account, sender) -> Campaign:
    found = CampaignFactory(account=account, name="Q1 Tech Founders Outreach", status=Campaign.Status.STARTED)
    found.linkedin_accounts.add(sender)
    return found


@pytest.fixture
def lead(account, campaign):
    contact = ContactFactory(
        account=account,
        first_name="John",
        last_name="Doe",
        job_title="VP of Engineering",
        linkedin_url=PROFILE,
    )
    return EnrolmentFactory(account=account, campaign=campaign, contact=contact)
