"""What the lists of outreach, webhooks and keys cost: a hundred rows as many queries as one."""

import pytest

from tests.factories import (
    ApiKeyFactory,
    BlocklistEntryFactory,
    CampaignFactory,
    DeliveryFactory,
    EndpointFactory,
    EnrolmentFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)
from webhooks.models import Attempt


@pytest.fixture
def campaign(account):
    return CampaignFactory(account=account)


@pytest.fixture
def endpoint(account):
    return EndpointFactory(account=account)


def add_campaigns(account, count, **_):
    for _ in range(count):
        campaign = SequenceStepFactory(account=account).campaign
        campaign.mailboxes.add(MailboxFactory(account=account))
        enrolment = EnrolmentFactory(account=account, campaign=campaign)
        MessageFactory(account=account, campaign=campaign, enrolment=enrolment)


def add_messages(account, count, campaign, **_):
    MessageFactory.create_batch(count, account=account, campaign=campaign, enrolment__campaign=campaign)


def add_enrolments(account, count, campaign, **_):
    EnrolmentFactory.create_batch(count, account=account, campaign=campaign)


def add_deliveries(account, count, endpoint, **_):
    for delivery in DeliveryFactory.create_batch(count, account=account, endpoint=endpoint):
        Attempt.objects.create(delivery=delivery, status=200)


def add(factory):
    return lambda account, count, **_: factory.create_batch(count, account=account)


FRAME = 4  # the key, the limit, the ids, the rows


@pytest.mark.parametrize(
    ("path", "add_rows", "queries"),
    [
        ("campaigns", add_campaigns, FRAME + 4),  # contacts, messages, mailboxes, LinkedIn accounts
        ("campaigns/{campaign.uid}/messages", add_messages, FRAME + 1),  # the campaign
        ("campaigns/{campaign.uid}/contacts", add_enrolments, FRAME + 1),
        ("messages", add_messages, FRAME),
        ("email-accounts", add(MailboxFactory), FRAME),
        ("blocklist", add(BlocklistEntryFactory), FRAME),
        ("webhooks", add(EndpointFactory), FRAME),
        ("webhooks/{endpoint.uid}/deliveries", add_deliveries, FRAME + 1),  # the webhook
        ("api-keys", add(ApiKeyFactory), FRAME),
    ],
)
def test_a_hundred_rows_take_as_many_queries_as_one(
    native, account, campaign, endpoint, path, add_rows, queries, django_assert_num_queries
):
    path = f"/api/{path.format(campaign=campaign, endpoint=endpoint)}?limit=100"
    add_rows(account, 1, campaign=campaign, endpoint=endpoint)
    native.get(path)  # the key's last use is written once a minute
    with django_assert_num_queries(queries):
        few = len(native.get(path).json()["data"])
    add_rows(account, 99, campaign=campaign, endpoint=endpoint)

    with django_assert_num_queries(queries):
        many = len(native.get(path).json()["data"])

    assert few <= 2
    assert many == 100
