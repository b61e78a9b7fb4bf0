"""Conversations, their messages, and writing to a lead or to a profile."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from outreach.models import Enrolment, Message
from tests.api.sendpilot.conftest import PROFILE
from tests.factories import ConversationFactory, IncomingFactory, MailboxFactory

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def talk(account, sender, lead):
    return ConversationFactory(
        account=account,
        mailbox=None,
        linkedin_account=sender,
        contact=lead.contact,
        counterpart=PROFILE,
        name="John Doe",
        preview="Tell me more.",
        last_is_theirs=True,
        last_at=NOON,
        unread=1,
    )


@pytest.fixture
def connected(lead, sender):
    Enrolment.objects.filter(pk=lead.pk).update(connected_at=timezone.now(), linkedin_account=sender)
    return lead


def sender_id(sender) -> str:
    return f"sender_{sender.uid.hex}"


def test_a_conversation_shows_who_it_is_with_and_what_was_said_last(sendpilot, talk, sender):
    answer = sendpilot.get("/v1/inbox/conversations").json()

    [shown] = answer["conversations"]
    moments = {name: shown.pop(name) for name in ("createdAt", "updatedAt")}
    assert all(moment.endswith("Z") for moment in moments.values())
    assert shown == {
        "id": f"conv_{talk.uid.hex}",
        "accountId": sender_id(sender),
        "participants": [
            {"id": "john-doe", "name": "John Doe", "profileUrl": PROFILE, "profilePicture": None}
        ],
        "lastMessage": {
            "content": "Tell me more.",
            "sentAt": "2026-03-02T12:00:00.000Z",
            "direction": "received",
        },
        "lastActivityAt": "2026-03-02T12:00:00.000Z",
        "unreadCount": 1,
    }
    assert answer["pagination"] == {"continuationToken": None, "limit": 20, "hasMore": False}


def test_a_token_leads_to_the_next_conversations(sendpilot, account):
    talks = [ConversationFactory(account=account, last_at=NOON - timedelta(hours=hour)) for hour in range(5)]
    seen, token = [], ""
    for _ in range(3):
        answer = sendpilot.get(f"/v1/inbox/conversations?limit=2{token}").json()
        seen += [one["id"] for one in answer["conversations"]]
        token = f"&continuationToken={answer['pagination']['continuationToken']}"

    assert seen == [f"conv_{talk.uid.hex}" for talk in talks]
    assert answer["pagination"]["hasMore"] is False


def test_pages_may_be_numbered(sendpilot, account):
    ConversationFactory.create_batch(3, account=account)

    answer = sendpilot.get("/v1/inbox/conversations?page=2&limit=2").json()

    assert len(answer["conversations"]) == 1
    assert answer["pagination"] == {"total": 3, "page": 2, "limit": 2, "totalPages": 2, "hasMore": False}


def test_conversations_of_one_sender(sendpilot, account, talk, sender):
    mailbox = MailboxFactory(account=account)
    by_mail = ConversationFactory(account=account, mailbox=mailbox)

    shown = [
        [
            one["id"]
            for one in sendpilot.get(f"/v1/inbox/conversations?accountId={who}").json()["conversations"]
        ]
        for who in (sender_id(sender), sender_id(mailbox), "sender_01890000000070008000000000000000")
    ]

    assert shown == [[f"conv_{talk.uid.hex}"], [f"conv_{by_mail.uid.hex}"], []]


def test_messages_name_both_sides(sendpilot, account, talk, sender):
    received = IncomingFactory(
        account=account,
        mailbox=None,
        linkedin_account=sender,
        conversation=talk,
        text="Tell me more.",
        at=NOON,
    )

    answer = sendpilot.get(
        f"/v1/inbox/conversations/conv_{talk.uid.hex}/messages?accountId={sender_id(sender)}"
    ).json()

    john = {"id": "john-doe", "name": "John Doe", "profileUrl": PROFILE}
    jane = {
        "id": sender.profile_url.rpartition("/")[2],
        "name": "Jane Smith",
        "profileUrl": sender.profile_url,
    }
    assert answer == {
        "conversationId": f"conv_{talk.uid.hex}",
        "messages": [
            {
                "id": f"msg_{received.uid.hex}",
                "content": "Tell me more.",
                "sender": john,
                "recipient": jane,
                "direction": "received",
                "sentAt": "2026-03-02T12:00:00.000Z",
                "readStatus": "unread",
                "contentType": "TEXT",
            }
        ],
        "pagination": {"hasMore": False, "continuationToken": None},
    }


def test_messages_need_the_sender_whose_they_are(sendpilot, account, talk):
    path = f"/v1/inbox/conversations/conv_{talk.uid.hex}/messages"
    other = sender_id(MailboxFactory(account=account))

    assert sendpilot.get(path).json()["message"] == "accountId is required"
    assert sendpilot.get(f"{path}?accountId={other}").json()["message"] == "Conversation not found"


def test_a_lead_is_written_to_by_id(sendpilot, connected, sender):
    answer = sendpilot.post(
        "/v1/inbox/send", {"leadId": f"lead_{connected.uid.hex}", "message": "Hello"}, format="json"
    )

    message = Message.objects.get()
    assert (answer.status_code, message.channel, message.linkedin_account) == (
        201,
        "linkedin_message",
        sender,
    )
    assert list(answer.json()) == ["success", "messageId", "leadId", "senderId", "sentAt"]
    assert answer.json()["messageId"] == f"msg_{message.uid.hex}"
    assert answer.json()["senderId"] == sender_id(sender)


def test_a_lead_is_written_to_by_path_with_its_names(sendpilot, connected, sender):
    answer = sendpilot.post(
        f"/v1/inbox/send/lead/lead_{connected.uid.hex}",
        {"senderId": sender_id(sender), "message": "Dear {{firstName}} {{ lastName }},"},
        format="json",
    ).json()

    message = Message.objects.get()
    assert message.text == "Dear John Doe,"
    assert (answer["recipientLinkedinUrl"], answer["leadId"], answer["status"]) == (
        PROFILE, f"lead_{connected.uid.hex}", "sent",
    )  # fmt: skip


def test_a_profile_is_written_to(sendpilot, connected, sender):
    answer = sendpilot.post(
        "/v1/inbox/send",
        {"senderId": sender_id(sender), "recipientLinkedinUrl": f"{PROFILE}/", "message": "Hello"},
        format="json",
    ).json()

    assert list(answer) == ["success", "messageId", "recipientLinkedinUrl", "status", "timestamp"]
    assert Message.objects.get().linkedin_account == sender


def test_whoever_is_no_connection_is_not_written_to(sendpilot, lead, sender):
    answers = [
        sendpilot.post(path, {"senderId": sender_id(sender), "message": "Hello", **body}, format="json")
        for path, body in (
            ("/v1/inbox/send", {"leadId": f"lead_{lead.uid.hex}"}),
            ("/v1/inbox/send", {"recipientLinkedinUrl": PROFILE}),
            (f"/v1/inbox/send/lead/lead_{lead.uid.hex}", {}),
        )
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert "is not a 1st-degree connection" in answers[0].json()["message"]
    assert not Message.objects.exists()


def test_whoever_has_written_to_the_sender_may_be_answered(sendpilot, account, talk, sender):
    IncomingFactory(
        account=account, mailbox=None, linkedin_account=sender, conversation=talk, from_address=PROFILE
    )

    answer = sendpilot.post(
        "/v1/inbox/send",
        {"senderId": sender_id(sender), "recipientLinkedinUrl": PROFILE, "message": "Gladly"},
        format="json",
    )

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": ""}, "message is required and must be a string"),
        ({"message": "x" * 8001}, "message must be shorter than or equal to 8000 characters"),
    ],
)
def test_a_message_has_one_to_8000_characters(sendpilot, connected, body, message):
    answer = sendpilot.post("/v1/inbox/send", {"leadId": f"lead_{connected.uid.hex}", **body}, format="json")

    assert answer.json()["message"] == message


def test_without_a_sender_nothing_is_sent(sendpilot):
    answer = sendpilot.post(
        "/v1/inbox/send", {"recipientLinkedinUrl": PROFILE, "message": "Hello"}, format="json"
    )

    assert answer.json() == {
        "statusCode": 400,
        "message": "senderId is required and must be a string",
        "error": "Bad Request",
    }
