"""What a provider tells us: answers and connections reach the contact once, forgeries and gossip nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from outreach.linkedin.accounts import delete_linkedin_account
from outreach.linkedin.hooks import hook_url, token_of
from outreach.models import Conversation, Enrolment, Incoming, LinkedInAccount, Message
from pipelime.backoffice.linkedin_in import MOST_BYTES
from pipelime.events.models import Event
from tests.factories import AccountFactory, ContactFactory, EnrolmentFactory, LinkedInAccountFactory
from tests.outreach.linkedin.conftest import GRACE
from tests.unipile import PERSON, hangs_up

ME = {"attendee_provider_id": "ACoAAAda", "attendee_name": "Ada Lovelace"}
SHE = {
    "attendee_id": "x", "attendee_name": "Grace Hopper", "attendee_provider_id": PERSON,
    "attendee_profile_url": f"https://www.linkedin.com/in/{PERSON}/",
}  # fmt: skip
SAID: dict[str, Any] = {
    "account_id": "acc-1", "account_type": "LINKEDIN", "account_info": {"user_id": "ACoAAAda"},
    "event": "message_received", "chat_id": "chat-1",
    "message_id": "in-1", "message": "Tell me more", "sender": SHE, "attendees": [ME],
}  # fmt: skip
RELATED: dict[str, Any] = {
    "event": "new_relation", "account_id": "acc-1", "account_type": "LINKEDIN", "webhook_name": "relations",
    "user_full_name": "Grace Hopper", "user_provider_id": PERSON, "user_public_identifier": "Grace-Hopper",
    "user_profile_url": "https://www.linkedin.com/in/grace-hopper/",
}  # fmt: skip


@pytest.fixture
def tell(worked):
    def post(payload: Any, token: str = "") -> Any:
        body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
        path = f"/inbound/linkedin/{token or token_of(worked)}"
        return Client().post(path, body, content_type="application/json")

    return post


def events() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("name", flat=True))


def test_an_answer_stops_the_sequence_and_stands_in_the_inbox(worked, step, run, tell, enrolment):
    step("linkedin_message", worked)
    run()

    at = timezone.now()
    answer = tell({**SAID, "timestamp": at.isoformat()})

    incoming = Incoming.objects.get()
    talk = Conversation.objects.get()
    enrolment.refresh_from_db()
    assert (answer.status_code, answer.json()) == (200, {"status": "taken"})
    assert (incoming.text, incoming.from_name, incoming.from_address) == (
        "Tell me more", "Grace Hopper", GRACE,
    )  # fmt: skip
    assert incoming.at == at
    assert (incoming.contact, incoming.enrolment, incoming.message) == (
        enrolment.contact, enrolment, Message.objects.get(),
    )  # fmt: skip
    assert incoming.conversation == talk
    assert (talk.unread, talk.provider_id) == (1, "chat-1")
    assert (enrolment.state, enrolment.replied_at) == ("stopped", incoming.at)
    assert "message.replied" in events()


def test_the_same_call_again_changes_nothing(worked, step, run, tell):
    step("linkedin_message", worked)
    run()
    tell(SAID)
    before = events()

    answer = tell(SAID)

    assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})
    assert Incoming.objects.count() == 1
    assert Conversation.objects.get().unread == 1
    assert events() == before


@pytest.mark.parametrize(
    "sender",
    [
        {
            **SHE,
            "attendee_provider_id": "other",
            "attendee_profile_url": "https://linkedin.com/in/grace-hopper",
        },
        {**SHE, "attendee_provider_id": "other", "attendee_public_identifier": "grace-hopper"},
        SHE,  # by the id that the invitation went to
    ],
)
def test_somebody_is_known_by_profile_or_by_the_invitation_without_any_chat(
    worked, step, run, tell, enrolment, sender
):
    step("linkedin_invitation", worked)
    run()

    tell({**SAID, "sender": sender})

    assert Incoming.objects.get().enrolment == enrolment
    assert Conversation.objects.get().counterpart == GRACE


def test_private_messages_are_not_kept(worked, step, run, tell):
    step("linkedin_message", worked)
    run()
    friend = {"attendee_name": "A friend", "attendee_provider_id": "ACoAFriend",
              "attendee_profile_url": "https://www.linkedin.com/in/a-friend"}  # fmt: skip

    answer = tell({**SAID, "chat_id": "private", "sender": friend})

    assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})
    assert Incoming.objects.count() == 0


def test_our_own_message_coming_back_is_no_answer(worked, step, run, tell, enrolment):
    step("linkedin_message", worked)
    run()

    answer = tell({**SAID, "message_id": "msg-1", "sender": ME, "attendees": [SHE, ME]})

    enrolment.refresh_from_db()
    assert answer.json() == {"status": "ignored"}
    assert Message.objects.count() == 1
    assert enrolment.state == "in_flight"


def test_what_its_owner_writes_elsewhere_is_shown_and_is_no_answer(worked, step, run, tell, enrolment):
    step("linkedin_message", worked)
    run()
    own = {**SAID, "message_id": "own-1", "message": "By the way", "sender": ME, "attendees": [SHE]}

    tell(own)
    tell(own)

    written = Message.objects.get(provider_id="own-1")
    enrolment.refresh_from_db()
    assert (written.state, written.text, written.conversation) == (
        "sent", "By the way", Conversation.objects.get(),
    )  # fmt: skip
    assert Conversation.objects.get().preview == "By the way"
    assert enrolment.state == "in_flight"
    assert Incoming.objects.count() == 0


def test_a_message_in_doubt_is_settled_when_the_provider_shows_it(worked, step, run, tell, unipile):
    message = step("linkedin_message", worked)
    unipile.answers["POST /api/v1/chats"] = hangs_up
    run()

    own = {**SAID, "message_id": "msg-9", "sender": ME, "attendees": [SHE]}
    tell({**own, "message": "Somebody else's words"})
    tell({**own, "message": "Thank you, Grace. Ada"})

    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("sent", "msg-9")
    assert Message.objects.count() == 1
    assert events()[-1] == "message.settled"


def test_an_accepted_invitation_is_noted_once_though_it_was_in_doubt(
    worked, step, run, tell, unipile, enrolment
):
    message = step("linkedin_invitation", worked)
    unipile.answers["POST /api/v1/users/invite"] = hangs_up
    run()

    first, second = tell(RELATED), tell(RELATED)

    message.refresh_from_db()
    enrolment.refresh_from_db()
    assert (first.json(), second.json()) == ({"status": "taken"}, {"status": "ignored"})
    assert message.state == "sent"
    assert enrolment.connected_at is not None
    assert events() == ["message.ambiguous", "message.settled", "connection.accepted"]


def test_a_new_relation_with_a_stranger_concerns_nobody(worked, step, tell):
    step("linkedin_invitation", worked)

    answer = tell({**RELATED, "user_public_identifier": "somebody", "user_provider_id": "ACoSomebody"})

    assert answer.json() == {"status": "ignored"}
    assert Enrolment.objects.get().connected_at is None


def test_news_of_another_account_there_is_ignored(worked, step, run, tell):
    step("linkedin_message", worked)
    run()

    answer = tell({**SAID, "account_id": "acc-2"})

    assert answer.json() == {"status": "ignored"}
    assert Incoming.objects.count() == 0


def test_the_same_person_in_another_workspace_hears_nothing(worked, step, run, tell):
    other = AccountFactory()
    contact = ContactFactory(account=other, linkedin_url=GRACE)
    place = EnrolmentFactory(
        account=other, contact=contact, linkedin_account=LinkedInAccountFactory(account=other)
    )
    step("linkedin_message", worked)
    run()

    tell(SAID)
    tell(RELATED)

    place = Enrolment._base_manager.get(pk=place.pk)
    assert (place.state, place.connected_at, place.replied_at) == ("waiting", None, None)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"account_id": "acc-1"},
        {"account_id": "acc-1", "event": "message_read"},
        {**SAID, "sender": None, "attendees": "many", "account_info": 7},
        {**SAID, "message_id": None},
        {**SAID, "timestamp": "soon", "chat_id": 9, "sender": []},
        {**RELATED, "user_public_identifier": "a/b\x00", "user_profile_url": 7},
    ],
)
def test_whatever_else_is_said_is_ignored(step, worked, tell, payload):
    step("linkedin_message", worked)

    answer = tell(payload)

    assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe"])
def test_what_is_no_object_is_refused(tell, body):
    assert tell(body).status_code == 400


def test_a_call_of_any_length_is_not_read(tell):
    assert tell(b"{" + b" " * MOST_BYTES).status_code == 413


def test_a_forged_address_is_not_there(worked, tell):
    known = token_of(worked)
    stranger = LinkedInAccountFactory(account=worked.account, provider="unipile", hook_key="other")
    forged = known[:22] + token_of(stranger)[22:]

    assert tell(SAID, forged).status_code == 404
    assert tell(SAID, known[:-1]).status_code == 404
    assert tell(SAID, "x").status_code == 404


def test_a_new_hook_key_ends_the_address(worked, tell):
    known = token_of(worked)
    worked.hook_key = "another"
    worked.save()

    assert tell(SAID, known).status_code == 404


def test_the_address_of_a_disconnected_account_is_not_there(worked, tell, user):
    known = token_of(worked)
    delete_linkedin_account(worked, by=user)

    assert tell(SAID, known).status_code == 404


def test_only_posts_are_heard(worked, client):
    assert client.get(f"/inbound/linkedin/{token_of(worked)}").status_code == 405


def test_its_address_is_under_our_own(worked, settings):
    settings.PIPELIME_URL = "https://crm.example.com"

    assert hook_url(worked).startswith("https://crm.example.com/inbound/linkedin/")


def test_what_is_said_to_have_happened_tomorrow_happened_now(worked, step, run, tell):
    step("linkedin_message", worked)
    run()

    tell({**SAID, "timestamp": (timezone.now() + timedelta(days=9)).isoformat()})

    assert Incoming.objects.get().at <= timezone.now()
    assert LinkedInAccount.objects.count() == 1
