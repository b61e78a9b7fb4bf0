"""Campaigns as the vendor shows them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from outreach.models import Campaign
from pipelime.api.moments import utc_text
from pipelime.events.models import Event
from tests.factories import (
    CampaignFactory,
    ConversationFactory,
    EnrolmentFactory,
    MessageFactory,
    SequenceStepFactory,
)

Status = Campaign.Status


def path(campaign) -> str:
    return f"/api/v1/campaigns/camp_{campaign.uid.hex}"


def test_a_list_has_its_items_in_data_and_its_pages_in_meta(sendpilot, campaign, lead):
    answer = sendpilot.get("/api/v1/campaigns").json()

    assert answer == {
        "data": [
            {
                "id": f"camp_{campaign.uid.hex}",
                "name": "Q1 Tech Founders Outreach",
                "status": "STARTED",
                "totalLeads": 1,
                "createdAt": utc_text(campaign.created_at),
                "updatedAt": utc_text(campaign.updated_at),
            }
        ],
        "meta": {"total": 1, "page": 1, "limit": 20, "totalPages": 1},
    }


@pytest.mark.parametrize(
    ("asked", "names"),
    [("started", ["B"]), ("active", ["B"]), ("PAUSED", ["A"]), ("all", ["B", "A"]), ("finished", [])],
)
def test_a_list_is_narrowed_by_status_in_any_case(sendpilot, account, asked, names):
    CampaignFactory(account=account, name="A", status=Status.PAUSED)
    CampaignFactory(account=account, name="B", status=Status.STARTED)

    answer = sendpilot.get("/v1/campaigns", {"status": asked}).json()

    assert [one["name"] for one in answer["data"]] == names


def test_an_unknown_status_is_refused_with_the_known_ones(sendpilot):
    answer = sendpilot.get("/v1/campaigns?status=running").json()

    assert answer["message"] == "status must be one of: draft, started, paused, finished, active, all"


def test_one_campaign_tells_what_came_of_it(sendpilot, account, campaign, lead, sender):
    MessageFactory(
        account=account, enrolment=lead, state="sent", channel="linkedin_invitation", step_number=1
    )
    MessageFactory(account=account, enrolment=lead, state="sent", channel="linkedin_message", step_number=2)
    MessageFactory(account=account, enrolment=lead, state="queued", channel="email", step_number=3)
    EnrolmentFactory(
        account=account, campaign=campaign, connected_at=timezone.now(), replied_at=timezone.now()
    )

    answer = sendpilot.get(path(campaign)).json()

    assert answer["metrics"] == {
        "connectionsSent": 1,
        "connectionsAccepted": 1,
        "messagesSent": 1,
        "repliesReceived": 1,
    }
    assert (answer["connectionsSent"], answer["messagesSent"], answer["repliesReceived"]) == (1, 1, 1)
    assert answer["linkedInSenderIds"] == [f"sender_{sender.uid.hex}"]
    assert (answer["totalLeads"], answer["description"]) == (2, None)


def test_a_campaign_is_paused(sendpilot, campaign):
    paused = sendpilot.patch(path(campaign), {"action": "pause"}, format="json")

    assert paused.json() == {
        "success": True,
        "campaignId": f"camp_{campaign.uid.hex}",
        "action": "pause",
        "newStatus": "paused",
        "message": "Campaign paused successfully",
    }
    assert Event.objects.filter(name="campaign.paused").count() == 1

    again = sendpilot.patch(path(campaign), {"action": "pause"}, format="json")
    assert (again.status_code, again.json()["newStatus"]) == (200, "paused")
    assert Event.objects.filter(name="campaign.paused").count() == 1


def test_a_paused_campaign_is_resumed(sendpilot, campaign, account, lead):
    SequenceStepFactory(account=account, campaign=campaign, channel="linkedin_message")
    Campaign.objects.filter(pk=campaign.pk).update(status=Status.PAUSED)

    resumed = sendpilot.patch(path(campaign), {"action": "resume"}, format="json")

    assert resumed.json() == {
        "success": True,
        "campaignId": f"camp_{campaign.uid.hex}",
        "action": "resume",
        "newStatus": "started",
        "message": "Campaign resumed successfully",
    }
    assert Event.objects.filter(name="campaign.resumed").count() == 1


@pytest.mark.parametrize("body", [{}, {"action": "stop"}])
def test_another_action_is_refused(sendpilot, campaign, body):
    answer = sendpilot.patch(path(campaign), body, format="json")

    assert answer.json() == {
        "statusCode": 400,
        "message": "action must be one of the following values: pause, resume",
        "error": "Bad Request",
    }


def test_a_draft_is_not_resumed(sendpilot, account):
    draft = CampaignFactory(account=account)

    answer = sendpilot.patch(path(draft), {"action": "resume"}, format="json")

    assert answer.json()["message"] == "The action resume needs a paused campaign; this one is DRAFT"


@pytest.mark.parametrize("path", ["campaigns", "leads", "inbox/conversations"])
def test_a_list_takes_as_many_queries_for_one_as_for_many(sendpilot, account, path):
    EnrolmentFactory.create_batch(3, account=account)
    ConversationFactory.create_batch(3, account=account)
    sendpilot.get(f"/v1/{path}")

    with CaptureQueriesContext(connection) as few:
        sendpilot.get(f"/v1/{path}?limit=1")
    with CaptureQueriesContext(connection) as many:
        sendpilot.get(f"/v1/{path}?limit=3")

    assert len(few) == len(many)
