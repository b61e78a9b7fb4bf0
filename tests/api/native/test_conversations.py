"""The inbox over the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crm.models import Lead
from outreach.models import Conversation, Message
from tests.api.moments import in_full
from tests.factories import (
    ContactFactory,
    ConversationFactory,
    IncomingFactory,
    LeadFactory,
    LinkedInAccountFactory,
    PipelineFactory,
    StepFactory,
)

NOON = datetime(2030, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def talk(account) -> Conversation:
    contact = ContactFactory(account=account, first_name="Ada", last_name="Lovelace")
    return ConversationFactory(
        account=account, contact=contact, name="Ada Lovelace", counterpart="ada@example.com", unread=2,
        subject="Re: Hello", preview="Tell me more.", last_at=NOON, last_is_theirs=True, intent="interested",
        mailbox__email="sam@sender.example",
    )  # fmt: skip


def said(talk, text: str, at: datetime = NOON, **values):
    return IncomingFactory(
        account=talk.account, conversation=talk, text=text, at=at, from_name="Ada", **values
    )


def post(native, talk, what: str, body: dict | None = None):
    return native.post(f"/api/conversations/{talk.uid}/{what}", body or {}, format="json")


def test_a_conversation_is_answered_in_full(native, talk):
    assert native.get(f"/api/conversations/{talk.uid}").json() == {
        "id": str(talk.uid),
        "sender": {"channel": "email", "id": str(talk.mailbox.uid), "name": "sam@sender.example"},
        "name": "Ada Lovelace",
        "counterpart": "ada@example.com",
        "contact": {"id": str(talk.contact.uid), "first_name": "Ada", "last_name": "Lovelace"},
        "lead": None,
        "subject": "Re: Hello",
        "preview": "Tell me more.",
        "status": "open",
        "intent": "interested",
        "intent_by_hand": False,
        "assignee": None,
        "unread": 2,
        "last_is_theirs": True,
        "last_at": in_full(NOON),
        "closed_at": None,
        "created_at": in_full(talk.created_at),
    }


def test_one_on_linkedin_names_its_profile_s_owner(native, account):
    sender = LinkedInAccountFactory(account=account, name="Sam")
    talk = ConversationFactory(account=account, mailbox=None, linkedin_account=sender)

    row = native.get(f"/api/conversations/{talk.uid}").json()

    assert row["sender"] == {"channel": "linkedin", "id": str(sender.uid), "name": "Sam"}


def test_the_list_begins_with_what_was_said_last_and_holds_what_is_open(native, account):
    old, new = (ConversationFactory(account=account, last_at=NOON + timedelta(n)) for n in range(2))
    ConversationFactory(account=account, closed_at=NOON)

    first = native.get("/api/conversations?limit=1").json()
    second = native.get(f"/api/conversations?limit=1&cursor={first['pagination']['next_cursor']}").json()

    assert [page["data"][0]["id"] for page in (first, second)] == [str(new.uid), str(old.uid)]
    assert second["pagination"]["has_more"] is False


@pytest.mark.parametrize(
    "query",
    [
        "status=closed",
        "status=all&unread=true",
        "status=all&intent=meeting,interested",
        "status=all&assignee={0.assignee.uid}",
        "status=all&email_account={0.mailbox.uid}",
        "status=all&contact={0.contact.uid}",
    ],
)
def test_conversations_are_found_by_what_is_known_of_them(native, account, user, query):
    wanted = ConversationFactory(
        account=account, closed_at=NOON, unread=1, intent="interested", assignee=user
    )
    ConversationFactory(account=account)

    answer = native.get(f"/api/conversations?{query.format(wanted)}")

    assert [row["id"] for row in answer.json()["data"]] == [str(wanted.uid)]


def test_what_is_nobody_s_is_found(native, account, user):
    free = ConversationFactory(account=account)
    ConversationFactory(account=account, assignee=user)

    answer = native.get("/api/conversations?assignee=none&unread=false")

    assert [row["id"] for row in answer.json()["data"]] == [str(free.uid)]


@pytest.mark.parametrize(
    ("query", "field"), [("status=old", "status"), ("assignee=me", "assignee"), ("unread=maybe", "unread")]
)
def test_a_wrong_filter_is_refused_by_name(native, account, query, field):
    answer = native.get(f"/api/conversations?{query}")

    assert answer.status_code == 422
    assert field in answer.json()["error"]["details"]


def test_the_thread_comes_page_by_page_the_newest_at_the_end(native, talk):
    for hour in range(3):
        said(talk, f"Answer {hour}", NOON + timedelta(hours=hour))

    last = native.get(f"/api/conversations/{talk.uid}/messages?limit=2").json()
    cursor = last["pagination"]["next_cursor"]
    first = native.get(f"/api/conversations/{talk.uid}/messages?limit=2&cursor={cursor}").json()

    assert [row["text"] for row in last["data"]] == ["Answer 1", "Answer 2"]
    assert [row["text"] for row in first["data"]] == ["Answer 0"]
    assert first["pagination"] == {"limit": 2, "next_cursor": None, "has_more": False}


def test_an_entry_says_who_wrote_what(native, talk):
    incoming = said(talk, "Tell me more.", subject="Re: Hello")

    [row] = native.get(f"/api/conversations/{talk.uid}/messages").json()["data"]

    assert row == {
        "id": str(incoming.uid), "at": in_full(NOON), "direction": "in", "from": "Ada",
        "subject": "Re: Hello", "text": "Tell me more.", "html": "", "status": "reply",
    }  # fmt: skip


@pytest.mark.parametrize(
    "cursor", ["nonsense", "W10", "WzEsMiwzXQ", "WyIyMDMwLTAxLTAxVDAwOjAwOjAwWiIsIHRydWUsIDFlNDBd"]
)
def test_a_cursor_of_somebody_else_is_refused(native, talk, cursor):
    answer = native.get(f"/api/conversations/{talk.uid}/messages?cursor={cursor}")

    assert answer.status_code == 422
    assert "cursor" in answer.json()["error"]["details"]


def test_a_reply_is_a_message_of_the_ledger(native, talk):
    said(talk, "Tell me more.")

    answer = post(native, talk, "reply", {"text": "Gladly.", "html": "<p>Gladly.</p>"})

    message = Message.objects.get()
    assert answer.status_code == 201
    assert (answer.json()["id"], answer.json()["status"]) == (str(message.uid), "queued")
    assert (message.conversation, message.frozen["html"]) == (talk, "<p>Gladly.</p>")


def test_a_reply_that_cannot_go_says_why(native, talk):
    talk.mailbox.paused_at, talk.mailbox.pause_reason = timezone.now(), "tired"
    talk.mailbox.save()

    answer = post(native, talk, "reply", {"text": "Gladly."})

    assert answer.status_code == 422
    assert "paused (tired)" in answer.json()["error"]["message"]
    assert not Message.objects.exists()


def test_it_is_given_to_somebody_and_said_to_mean_something(native, talk, seller):
    body = {"assignee_id": str(seller.uid), "intent": "meeting"}
    row = native.patch(f"/api/conversations/{talk.uid}", body, format="json").json()

    assert row["assignee"] == {"id": str(seller.uid), "name": seller.name, "email": seller.email}
    assert (row["intent"], row["intent_by_hand"]) == ("meeting", True)


def test_a_foreign_assignee_looks_missing(native, talk, stranger):
    answer = native.patch(f"/api/conversations/{talk.uid}", {"assignee_id": str(stranger.uid)}, format="json")

    assert answer.status_code == 422
    assert Conversation.objects.get().assignee is None


def test_it_is_read_closed_and_reopened(native, talk):
    assert post(native, talk, "read").json()["unread"] == 0
    assert post(native, talk, "close").json()["status"] == "closed"
    assert post(native, talk, "reopen").json()["status"] == "open"


def test_it_becomes_a_lead_once(native, account, talk):
    StepFactory(account=account)
    pipeline = PipelineFactory(account=account)
    step = StepFactory(account=account, pipeline=pipeline)

    first = post(native, talk, "lead", {"pipeline_id": str(pipeline.uid)})
    second = post(native, talk, "lead")

    assert first.status_code == 201
    assert first.json()["id"] == second.json()["id"]
    assert first.json()["step"]["id"] == str(step.uid)
    assert Lead.objects.count() == 1


def test_the_list_costs_as_many_queries_for_many_as_for_one(native, account, django_assert_num_queries):
    def add(count: int) -> None:
        for _ in range(count):
            ConversationFactory(account=account, lead=LeadFactory(account=account))

    add(1)
    native.get("/api/conversations")
    with django_assert_num_queries(4):
        native.get("/api/conversations")
    add(20)

    with django_assert_num_queries(4):
        assert len(native.get("/api/conversations").json()["data"]) == 21
