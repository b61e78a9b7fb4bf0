"""Leads: contacts in campaigns."""

import pytest
from django.utils import timezone

from crm.models import Contact, Field
from outreach.models import Enrolment
from pipelime.api.moments import utc_text
from pipelime.api.sendpilot.statuses import Progress, status_of
from pipelime.events.models import Event
from tests.api.sendpilot.conftest import PROFILE
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    MessageFactory,
    SequenceStepFactory,
)

URL = "/api/v1/leads"


@pytest.fixture
def by_linkedin(account, campaign):
    """The campaign's only step is a LinkedIn message, so that nobody needs an address."""
    SequenceStepFactory(account=account, campaign=campaign, channel="linkedin_message")
    return f"camp_{campaign.uid.hex}"


def add(client, campaign_id: str, *leads):
    return client.post(URL, {"campaignId": campaign_id, "leads": list(leads)}, format="json")


def test_a_lead_is_shown_with_ten_keys(sendpilot, lead, campaign):
    answer = sendpilot.get(f"{URL}/lead_{lead.uid.hex}").json()

    assert answer == {
        "id": f"lead_{lead.uid.hex}",
        "linkedinUrl": PROFILE,
        "status": "PENDING",
        "firstName": "John",
        "lastName": "Doe",
        "title": "VP of Engineering",
        "company": None,
        "campaignId": f"camp_{campaign.uid.hex}",
        "createdAt": utc_text(lead.created_at),
        "updatedAt": utc_text(lead.updated_at),
    }


def test_a_list_has_its_items_in_leads_and_its_pages_in_pagination(sendpilot, lead, account):
    EnrolmentFactory(account=account)

    answer = sendpilot.get(URL, {"campaignId": f"camp_{lead.campaign.uid.hex}"}).json()

    assert [one["id"] for one in answer["leads"]] == [f"lead_{lead.uid.hex}"]
    assert answer["pagination"] == {"total": 1, "page": 1, "limit": 50, "totalPages": 1}


@pytest.mark.parametrize(
    ("facts", "channel", "status"),
    [
        ({}, "", "PENDING"),
        ({}, "linkedin_invitation", "CONNECTION_SENT"),
        ({"connected_at": timezone.now()}, "linkedin_invitation", "CONNECTION_ACCEPTED"),
        ({}, "linkedin_message", "MESSAGE_SENT"),
        ({}, "email", "MESSAGE_SENT"),
        ({"replied_at": timezone.now(), "state": "stopped"}, "email", "REPLY_RECEIVED"),
        ({"state": "finished"}, "email", "DONE"),
        ({"intent": "interested", "replied_at": timezone.now()}, "email", "OPPORTUNITY"),
        ({"intent": "meeting"}, "", "MEETING_BOOKED"),
        ({"intent": "not_interested"}, "", "NOT_INTERESTED"),
        ({"state": "finished", "reason": "done", "replied_at": timezone.now()}, "email", "DONE"),
        ({"state": "stopped", "reason": "unsubscribed"}, "", "DONE"),
    ],
)
def test_a_status_follows_from_what_has_happened_and_finds_the_lead(
    sendpilot, account, facts, channel, status
):
    lead = EnrolmentFactory(account=account, **facts)
    EnrolmentFactory(account=account, state="held", intent="not_now", connected_at=None)
    if channel:
        MessageFactory(account=account, enrolment=lead, channel=channel, state="sent")

    shown = sendpilot.get(f"{URL}/lead_{lead.uid.hex}").json()["status"]
    found = sendpilot.get(URL, {"status": status.lower()}).json()["leads"]

    assert shown == status == status_of(progress_of(lead, channel))
    assert f"lead_{lead.uid.hex}" in [one["id"] for one in found]
    assert {one["status"] for one in found} == {status}


def progress_of(lead, channel) -> Progress:
    facts = (lead.intent, lead.state, lead.reason, lead.replied_at is not None, lead.connected_at is not None)
    return Progress(*facts, channels=frozenset([channel] if channel else []))


def test_leads_are_added_with_flat_and_with_nested_custom_fields(sendpilot, by_linkedin):
    answer = add(
        sendpilot,
        by_linkedin,
        {"linkedinUrl": "linkedin.com/in/Ada", "firstName": "Ada", "company": "Acme", "icebreaker": "Hi",
         "customScore": 85},
        {"linkedinUrl": "https://www.linkedin.com/in/bob", "customFields": {"region": "EMEA"}},
    )  # fmt: skip

    assert answer.status_code == 201
    assert answer.json() == {
        "success": True,
        "leadsAdded": 2,
        "duplicatesSkipped": 0,
        "invalidEntries": 0,
    }
    ada, bob = Contact.objects.order_by("pk")
    assert (ada.linkedin_url, ada.first_name, ada.company.name) == (
        "https://www.linkedin.com/in/ada", "Ada", "Acme",
    )  # fmt: skip
    assert ada.custom_fields == {"icebreaker": "Hi", "customscore": "85"}
    assert bob.custom_fields == {"region": "EMEA"}
    assert set(Field.objects.values_list("name", flat=True)) == {"icebreaker", "customScore", "region"}


def test_those_who_are_in_the_campaign_and_those_who_are_no_leads_are_counted(sendpilot, by_linkedin, lead):
    answer = add(
        sendpilot,
        by_linkedin,
        {"linkedinUrl": PROFILE},
        {"linkedinUrl": "https://example.com/x"},
        {"firstName": "Nobody"},
        "text",
        {"linkedinUrl": "https://www.linkedin.com/in/new"},
        {"linkedinUrl": "https://www.linkedin.com/in/NEW/"},
    ).json()

    assert (answer["leadsAdded"], answer["duplicatesSkipped"], answer["invalidEntries"]) == (1, 2, 3)
    assert [(one["index"], one["linkedinUrl"]) for one in answer["errors"]] == [
        (1, "https://example.com/x"), (2, None), (3, None),
    ]  # fmt: skip
    assert answer["errors"][1]["error"] == "linkedinUrl must be a string"


def test_what_is_known_of_a_contact_is_kept(sendpilot, by_linkedin, account):
    known = ContactFactory(account=account, first_name="Ada", linkedin_url="https://www.linkedin.com/in/ada")

    add(sendpilot, by_linkedin, {"linkedinUrl": known.linkedin_url, "firstName": "A.", "title": "CTO"})

    known.refresh_from_db()
    assert (known.first_name, known.job_title) == ("Ada", "CTO")
    assert Enrolment.objects.get().contact_id == known.pk


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"leads": []}, "leads must be an array with at least 1 element"),
        ({"leads": [{}] * 101}, "leads must contain no more than 100 elements"),
        ({}, "leads must be an array with at least 1 element"),
    ],
)
def test_one_to_a_hundred_leads_are_taken(sendpilot, by_linkedin, body, message):
    answer = sendpilot.post(URL, {"campaignId": by_linkedin, **body}, format="json")

    assert answer.json() == {"statusCode": 400, "message": message, "error": "Bad Request"}


def test_an_unknown_campaign_is_not_found(sendpilot):
    answer = add(sendpilot, "camp_xyz", {"linkedinUrl": PROFILE})

    assert answer.json() == {"statusCode": 404, "message": "Campaign not found", "error": "Not Found"}


@pytest.mark.parametrize(
    ("status", "intent"),
    [("OPPORTUNITY", "interested"), ("MEETING_BOOKED", "meeting"), ("NOT_INTERESTED", "not_interested")],
)
def test_a_status_is_given_by_hand(sendpilot, lead, status, intent):
    answer = sendpilot.patch(
        f"{URL}/lead_{lead.uid.hex}/status", {"status": status, "note": "by phone"}, format="json"
    )

    lead.refresh_from_db()
    assert answer.json() == {
        "success": True,
        "id": f"lead_{lead.uid.hex}",
        "leadId": f"lead_{lead.uid.hex}",
        "linkedinUrl": PROFILE,
        "previousStatus": "PENDING",
        "status": status,
        "message": f"Lead status updated to '{status}'",
        "updatedAt": utc_text(lead.updated_at),
    }
    assert lead.intent == intent
    event = Event.objects.filter(name="enrolment.status_changed").latest("pk")
    assert (event.data["note"], event.data["changes"]["intent"]) == ("by phone", ["", intent])


def test_whoever_is_done_gets_nothing_more(sendpilot, lead):
    answer = sendpilot.patch(f"{URL}/lead_{lead.uid.hex}/status", {"status": "DONE"}, format="json")

    lead.refresh_from_db()
    assert (answer.json()["status"], lead.state) == ("DONE", "finished")


def test_a_lead_that_was_done_may_have_answered_after_all(sendpilot, lead):
    path = f"{URL}/lead_{lead.uid.hex}/status"
    sendpilot.patch(path, {"status": "DONE"}, format="json")

    answer = sendpilot.patch(path, {"status": "REPLY_RECEIVED"}, format="json")

    assert (answer.json()["previousStatus"], answer.json()["status"]) == ("DONE", "REPLY_RECEIVED")


def test_a_lead_does_not_go_back_to_being_connected(sendpilot, lead):
    path = f"{URL}/lead_{lead.uid.hex}/status"
    connected = sendpilot.patch(path, {"status": "CONNECTION_ACCEPTED"}, format="json")
    sendpilot.patch(path, {"status": "REPLY_RECEIVED"}, format="json")

    back = sendpilot.patch(path, {"status": "CONNECTION_ACCEPTED"}, format="json")

    assert connected.json()["status"] == "CONNECTION_ACCEPTED"
    assert back.json()["message"] == "The status CONNECTION_ACCEPTED does not come after REPLY_RECEIVED"


def test_what_follows_from_sending_cannot_be_said(sendpilot, lead):
    path = f"{URL}/lead_{lead.uid.hex}/status"

    same = sendpilot.patch(path, {"status": "PENDING"}, format="json")
    other = sendpilot.patch(path, {"status": "MESSAGE_SENT"}, format="json")
    unknown = sendpilot.patch(path, {"status": "WON"}, format="json")

    assert same.status_code == 200
    assert (
        other.json()["message"] == "status MESSAGE_SENT follows from what was sent; it cannot be set by hand"
    )
    assert unknown.json()["message"].startswith("status must be one of the following values: PENDING, ")


def test_leads_of_a_deleted_campaign_are_gone(sendpilot, account):
    gone = EnrolmentFactory(
        account=account, campaign=CampaignFactory(account=account, deleted_at=timezone.now())
    )

    assert sendpilot.get(f"{URL}/lead_{gone.uid.hex}").status_code == 404
