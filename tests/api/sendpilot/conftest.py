"""A client of the vendor's API, and a campaign with a lead in it."""

import pytest
from rest_framework.test import APIClient

from outreach.models import Campaign
from tests.factories import CampaignFactory, ContactFactory, EnrolmentFactory, LinkedInAccountFactory

PROFILE = "https://www.linkedin.com/in/john-doe"


@pytest.fixture
def sendpilot(raw_key) -> APIClient:
    return APIClient(headers={"X-API-Key": raw_key})


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
