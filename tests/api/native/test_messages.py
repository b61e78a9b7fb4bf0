"""The ledger of mails over the API, and settling what nobody is sure of."""

import pytest
from django.utils import timezone

from outreach.models import Message
from pipelime.events.models import Event
from tests.api.moments import in_full
from tests.factories import EnrolmentFactory, MessageFactory


def settle(native, message, outcome: str):
    return native.post(f"/api/messages/{message.uid}/settle", {"outcome": outcome}, format="json")


def test_a_message_is_answered_in_full(native, account):
    message = MessageFactory(
        account=account, state="sent", sent_at=timezone.now(), subject="Hello", to_name="G"
    )

    answer = native.get(f"/api/messages/{message.uid}")

    assert answer.json() == {
        "id": str(message.uid),
        "status": "sent",
        "campaign": {"id": str(message.campaign.uid), "name": message.campaign.name},
        "email_account": {"id": str(message.mailbox.uid), "email": message.mailbox.email},
        "contact_id": str(message.contact_uid),
        "lead_id": None,
        "template": "",
        "step": 1,
        "variant": "A",
        "from": message.from_address,
        "to": message.to_address,
        "name": "G",
        "subject": "Hello",
        "message_id": message.message_id,
        "attempts": 0,
        "error": "",
        "due_at": in_full(message.due_at),
        "sent_at": in_full(message.sent_at),
        "settled_at": None,
        "created_at": in_full(message.created_at),
    }


def test_a_message_outlives_its_campaign_and_its_mailbox(native, account):
    message = MessageFactory(account=account, campaign_name="Spring", from_address="sam@example.com")
    Message.objects.filter(pk=message.pk).update(campaign=None, mailbox=None)

    row = native.get(f"/api/messages/{message.uid}").json()

    assert row["campaign"] == {"id": None, "name": "Spring"}
    assert row["email_account"] == {"id": None, "email": "sam@example.com"}


@pytest.mark.parametrize(
    "query",
    [
        "status=failed,ambiguous",
        "campaign={0.campaign.uid}",
        "email_account={0.mailbox.uid}",
        "contact={0.contact_uid}",
        "to={0.to_address}",
        "sent_after=2030-01-01T00:00:00Z&sent_before=2030-01-02T00:00:00Z",
    ],
)
def test_messages_are_found_by_what_is_known_of_them(native, account, query):
    wanted = MessageFactory(account=account, state="failed", sent_at="2030-01-01T12:00:00Z")
    MessageFactory(account=account, state="sent", sent_at="2030-01-02T00:00:00Z")

    answer = native.get(f"/api/messages?{query.format(wanted)}&order=-sent_at")

    assert [row["id"] for row in answer.json()["data"]] == [str(wanted.uid)]


def test_an_ambiguous_message_that_arrived_is_sent(native, account):
    message = MessageFactory(account=account, state="ambiguous")

    answer = settle(native, message, "arrived")

    assert answer.status_code == 200
    assert answer.json()["status"] == "sent"
    assert answer.json()["settled_at"] is not None
    assert Event.objects.get(name="message.settled").subject_uid == message.uid


def test_an_ambiguous_message_may_be_sent_again(native, account):
    enrolment = EnrolmentFactory(account=account, state="in_flight", campaign__status="STARTED")
    message = MessageFactory(account=account, enrolment=enrolment, state="ambiguous")

    assert settle(native, message, "send_again").json()["status"] == "queued"


@pytest.mark.parametrize(
    ("state", "outcome", "words"),
    [
        ("sent", "send_again", "This message is sent; only an ambiguous one can be settled"),
        ("ambiguous", "lost", "'lost' is no outcome; use arrived or send_again"),
    ],
)
def test_what_cannot_be_settled_stays_as_it_is(native, account, state, outcome, words):
    message = MessageFactory(account=account, state=state)

    answer = settle(native, message, outcome)

    assert answer.status_code == 422
    assert answer.json()["error"]["details"] == {"outcome": [words]}
    assert Message.objects.get().state == state
