"""Webhooks in the vendor's envelope, under both generations of its names."""

import hashlib
import hmac
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from crm.contacts import update_contact
from outreach.campaigns import pause_campaign
from outreach.incoming.effects import take_reply
from outreach.linkedin.sending import send
from outreach.linkedin.tasks import connected, finish
from outreach.marking import mark
from outreach.models import Enrolment
from outreach.searching import search_contacts
from pipelime.accounts.keys import create_key
from pipelime.api.sendpilot.events import RETRY_DELAYS, dialect
from pipelime.errors import Invalid
from pipelime.events.recording import record
from tests.api.sendpilot.conftest import PROFILE, posted
from tests.factories import (
    ContactFactory,
    ConversationFactory,
    EnrolmentFactory,
    IncomingFactory,
    MessageFactory,
)
from webhooks.endpoints import rotate_secret, send_test
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db


def happened(name, subject, user, **data):
    with transaction.atomic():
        return record(name, subject, by=user, **data)


def test_an_envelope_says_what_happened_where_and_when(listen, account, user, campaign):
    listen("campaign.paused")

    pause_campaign(campaign, by=user)

    delivery = Delivery.objects.get()
    _, body = posted(delivery)
    event = delivery.event
    assert body == {
        "eventId": f"evt_{int(event.at.timestamp() * 1000)}_{event.uid.hex[-9:]}",
        "eventType": "campaign.paused",
        "timestamp": f"{event.at:%Y-%m-%dT%H:%M:%S}.{event.at.microsecond // 1000:03}Z",
        "workspaceId": f"ws_{account.uid.hex}",
        "data": {
            "campaignId": f"camp_{campaign.uid.hex}",
            "campaignName": "Q1 Tech Founders Outreach",
            "pausedAt": body["timestamp"],
            "pausedBy": "user",
        },
    }


def test_a_receiver_checks_time_and_bytes(listen, user, campaign):
    endpoint = listen("campaign.paused")
    pause_campaign(campaign, by=user)
    delivery, at = Delivery.objects.get(), timezone.now()

    headers, body = dialect.sender(endpoint).request(delivery, at)

    # As the vendor's document verifies it.
    parts = headers["webhook-signature"].split(",")
    timestamp = next(part for part in parts if part.startswith("t=")).removeprefix("t=")
    signature = next(part for part in parts if part.startswith("s=")).removeprefix("s=")
    expected = hmac.new(endpoint.secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert (timestamp, signature) == (str(int(at.timestamp())), expected)


def test_for_a_day_after_a_rotation_both_secrets_sign(listen, user, campaign):
    endpoint = listen("campaign.paused")
    pause_campaign(campaign, by=user)
    rotate_secret(endpoint, by=user)
    delivery = Delivery.objects.select_related("endpoint").get()

    now, later = timezone.now(), timezone.now() + timedelta(hours=25)

    assert posted(delivery, now)[0]["webhook-signature"].count("s=") == 2
    assert posted(delivery, later)[0]["webhook-signature"].count("s=") == 1


def test_every_other_attempt_is_signed_by_the_older_secret_first(listen, user, campaign):
    """For receivers that look at the first signature only, as the vendor's document does."""
    endpoint = listen("campaign.paused")
    pause_campaign(campaign, by=user)
    rotate_secret(endpoint, by=user)
    delivery = Delivery.objects.select_related("endpoint").get()
    at = timezone.now()

    first, _ = posted(delivery, at)
    delivery.attempts = 1
    second, _ = posted(delivery, at)

    new, old = first["webhook-signature"].split(",")[1:]
    assert second["webhook-signature"].split(",")[1:] == [old, new]


@pytest.mark.parametrize(
    ("asked", "native", "heard"),
    [
        ("message.received", "message.replied", "message.received"),
        ("reply.received", "message.replied", "reply.received"),
        ("connection_request.sent", "connection.sent", "connection_request.sent"),
        ("connection.accepted", "connection.accepted", "connection.accepted"),
        ("lead.updated", "message.sent", "lead.updated"),
        ("*", "message.replied", "message.received"),
    ],
)
def test_both_generations_of_names_are_heard(listen, account, user, lead, asked, native, heard):
    listen(asked)
    message = MessageFactory(account=account, enrolment=lead, state="sent", channel="linkedin_message")

    happened(native, message, user)

    assert Delivery.objects.get().event_name == heard


def test_a_sent_message_says_to_whom_by_whom_and_what(listen, account, user, lead, sender):
    listen("message.sent")
    message = MessageFactory(
        account=account, enrolment=lead, state="sent", channel="linkedin_message", text="Hello John",
        linkedin_account=sender, mailbox=None, from_address="", step_number=2,
    )  # fmt: skip

    happened("message.sent", message, user)

    assert posted(Delivery.objects.get())[1]["data"] == {
        "leadId": f"lead_{lead.uid.hex}",
        "campaignId": f"camp_{lead.campaign.uid.hex}",
        "linkedinUrl": PROFILE,
        "senderId": f"sender_{sender.uid.hex}",
        "message": "Hello John",
        "sequenceStep": 2,
    }


def test_what_no_sequence_has_sent_is_told_of_the_contact_s_newest_lead(listen, user, lead, sender):
    listen("message.sent")
    EnrolmentFactory(account=lead.account, contact=lead.contact, campaign__deleted_at=timezone.now())

    message = send(sender, to_profile=PROFILE, text="Hello", by=user)
    finish(message, by=user)

    data = posted(Delivery.objects.get())[1]["data"]
    assert (data["leadId"], data["senderId"]) == (f"lead_{lead.uid.hex}", f"sender_{sender.uid.hex}")
    assert "sequenceStep" not in data


def test_a_message_to_nobody_that_we_know_tells_the_profile(listen, user, sender):
    listen("message.sent")

    finish(send(sender, to_profile="linkedin.com/in/grace", text="Hello", by=user), by=user)

    data = posted(Delivery.objects.get())[1]["data"]
    assert (data["leadId"], data["campaignId"]) == (None, None)
    assert data["linkedinUrl"] == "https://www.linkedin.com/in/grace"


def test_a_reply_is_told_with_how_it_begins(listen, account, user, lead, sender):
    listen("reply.received")
    talk = ConversationFactory(account=account, mailbox=None, linkedin_account=sender, counterpart=PROFILE)
    reply = IncomingFactory(
        account=account, conversation=talk, mailbox=None, linkedin_account=sender, enrolment=lead,
        text="x" * 150, contact=lead.contact,
    )  # fmt: skip

    take_reply(reply)

    assert posted(Delivery.objects.get())[1]["data"] == {
        "leadId": f"lead_{lead.uid.hex}",
        "campaignId": f"camp_{lead.campaign.uid.hex}",
        "linkedinUrl": PROFILE,
        "senderId": f"sender_{sender.uid.hex}",
        "replyPreview": "x" * 100,
    }


def test_an_accepted_invitation_tells_whose_it_was(listen, user, lead, sender):
    listen("connection_request.accepted")
    Enrolment.objects.filter(pk=lead.pk).update(linkedin_account=sender)

    connected(lead, timezone.now(), by=None)

    assert posted(Delivery.objects.get())[1]["data"] == {
        "leadId": f"lead_{lead.uid.hex}",
        "campaignId": f"camp_{lead.campaign.uid.hex}",
        "linkedinUrl": PROFILE,
        "senderId": f"sender_{sender.uid.hex}",
    }


def test_new_tags_of_a_contact_are_told_with_all_of_its_leads(listen, account, user, lead):
    listen("lead.tag.updated")
    newer = EnrolmentFactory(account=account, contact=lead.contact)

    update_contact(lead.contact, by=user, tags=["hot"])
    update_contact(lead.contact, by=user, job_title="CTO")
    update_contact(ContactFactory(account=account), by=user, tags=["hot"])

    assert posted(Delivery.objects.get())[1]["data"] == {
        "leadId": f"lead_{newer.uid.hex}",
        "campaignId": f"camp_{newer.campaign.uid.hex}",
        "linkedinUrl": PROFILE,
        "previousTags": [],
        "tags": ["hot"],
        "leads": [
            {"leadId": f"lead_{one.uid.hex}", "campaignId": f"camp_{one.campaign.uid.hex}"}
            for one in (lead, newer)
        ],
    }


@pytest.mark.parametrize(
    ("verb", "by", "who"),
    [(pause_campaign, "user", "user"), (pause_campaign, "key", "api"), (pause_campaign, None, "system")],
)
def test_who_has_paused_a_campaign_is_told(listen, account, user, campaign, verb, by, who):
    listen("campaign.paused")
    key, _ = create_key(account, name="Zapier", scopes=["*"], by=user)

    verb(campaign, by={"user": user, "key": key, None: None}[by])

    assert posted(Delivery.objects.get())[1]["data"]["pausedBy"] == who


def test_a_status_by_hand_tells_the_one_before(listen, user, lead):
    listen("lead.status.changed")

    mark(lead, by=user, intent=Enrolment.Intent.INTERESTED)

    assert posted(Delivery.objects.get())[1]["data"] == {
        "leadId": f"lead_{lead.uid.hex}",
        "campaignId": f"camp_{lead.campaign.uid.hex}",
        "linkedinUrl": PROFILE,
        "previousStatus": "PENDING",
        "newStatus": "OPPORTUNITY",
        "changedBy": "user",
    }


def test_the_newer_name_has_no_changed_by(listen, user, lead):
    listen("lead.updated")

    mark(lead, by=user, intent=Enrolment.Intent.MEETING)

    assert "changedBy" not in posted(Delivery.objects.get())[1]["data"]


def test_a_finished_search_carries_its_leads(listen, account, user, lead):
    listen("lead_database.search.completed")

    search = search_contacts(account, by=user, name="All", filters={"job_titles": ["VP"]}, limit=10)

    data = posted(Delivery.objects.get())[1]["data"]
    assert (data["search_id"], data["total_leads_found"], len(data["leads"])) == (
        f"search_{search.uid.hex}", 1, 1,
    )  # fmt: skip
    assert data["filters"] == {"job_titles": ["VP"], "locations": [], "industries": [], "company_sizes": []}


def test_a_test_event_arrives_whatever_is_listened_to(listen, user):
    endpoint = listen("campaign.paused")

    send_test(endpoint, by=user)

    assert posted(Delivery.objects.get())[1]["eventType"] == "webhook.test"


def test_a_name_that_the_vendor_does_not_have_is_refused(listen):
    with pytest.raises(Invalid, match=r"'contact\.created' is no event of SendPilot; use campaign\.finished"):
        listen("contact.created")


def test_there_are_five_attempts_and_thirty_seconds_for_each():
    assert [delay.total_seconds() for delay in RETRY_DELAYS] == [5, 30, 120, 900]
    assert dialect.timeout == 30
