"""The ledger of mails over the API, and settling what nobody is sure of."""

from datetime import timedelta

import pytest
from django.utils import timezone

from outreach import direct
from outreach.models import Message
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.api.moments import in_full
from tests.factories import EnrolmentFactory, LeadFactory, MailboxFactory, MessageFactory


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
        "channel": "email",
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
        "replied_at": None,
        "bounced_at": None,
        "complained_at": None,
        "unsubscribed_at": None,
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


def mail_to_a_lead(account, **values):
    return MessageFactory(
        account=account, enrolment=None, campaign=None, contact_uid=None, to_address="ana@b.example",
        campaign_name="", step_number=0, lead=LeadFactory(account=account), frozen={"subject": "Hello"},
        **values,
    )  # fmt: skip


def test_a_mail_to_a_lead_that_still_waits_is_withdrawn(native, account):
    message = mail_to_a_lead(account)

    answer = native.post(f"/api/messages/{message.uid}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    event = Event.objects.get(name="message.failed")
    assert event.data["reason"] == "withdrawn by API key tests"


@pytest.mark.parametrize("state", ["claimed", "sending", "sent", "ambiguous", "failed"])
def test_what_is_on_its_way_or_has_an_end_is_not_withdrawn(native, account, state):
    message = mail_to_a_lead(account, state=state)

    answer = native.post(f"/api/messages/{message.uid}/cancel")

    assert answer.status_code == 422
    assert f"This message is {state}" in answer.content.decode()
    assert Message.objects.get().state == state


def test_a_mail_of_a_campaign_is_not_withdrawn_by_itself(native, account):
    message = MessageFactory(account=account)

    assert native.post(f"/api/messages/{message.uid}/cancel").status_code == 422

    assert Message.objects.get().state == "queued"


def test_what_waits_for_a_week_is_given_up_with_the_reason(native, account):
    mailbox = MailboxFactory(account=account, paused_at=timezone.now(), pause_reason="holiday")
    eight_days = timezone.now() - timedelta(days=8)
    old = mail_to_a_lead(account, mailbox=mailbox, slot_at=eight_days)
    young = mail_to_a_lead(account, mailbox=mailbox)
    campaign_s = MessageFactory(account=account, slot_at=eight_days)

    with every_account():
        assert direct.expire() == 1
        assert direct.expire() == 0

    for message in (old, young, campaign_s):
        message.refresh_from_db()
    assert (old.state, young.state, campaign_s.state) == ("failed", "queued", "queued")
    assert old.last_error == f"not sent within 7 days: {mailbox.email} is paused (holiday)"
    assert Event.objects.get(name="message.failed").data["reason"] == old.last_error
