"""What Unipile says, in the words of the port: pure reading of answers and of calls."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
import time_machine

from outreach.linkedin.port import Declined, Found, Later, Locked, Person, Related, Said
from outreach.linkedin.unipile import Unipile, failure, form, ports_of, words
from outreach.models import LinkedInAccount
from pipelime.outbound import HTTP_PORTS, Answer
from tests.unipile import problem

ACCOUNT = LinkedInAccount(provider="unipile", provider_account="acc-1")


def answer(status: int, kind: str = "", title: str = "", detail: str = "") -> Answer:
    return Answer(status, {}, orjson.dumps(problem(status, kind, title, detail)[1]), 0.1)


@pytest.mark.parametrize(
    ("status", "kind", "meaning"),
    [
        (400, "too_many_characters", Declined),
        (401, "disconnected_account", Locked),
        (403, "account_restricted", Locked),
        (403, "resource_access_restricted", Declined),
        (302, "", Locked),
        (404, "resource_not_found", Declined),
        (408, "request_timeout", None),
        (415, "unsupported_media_type", Declined),
        (422, "invalid_recipient", Declined),
        (422, "limit_exceeded", Later),
        (422, "cannot_resend_yet", Later),
        (429, "too_many_requests", Later),
        (500, "unexpected_error", None),
        (501, "missing_feature", Declined),
        (502, "proxy_error", None),
        (503, "no_client_session", Later),
        (504, "request_timeout", None),
    ],
)
def test_a_refusal_says_what_may_happen_next(status, kind, meaning):
    found = failure(answer(status, kind))

    assert (found and type(found)) == meaning


def test_the_words_are_unipile_s_own_and_of_bounded_length():
    assert words(answer(422, "x", "Not connected", "invite first")) == (
        "Unipile said 422 Not connected: invite first"
    )
    assert words(Answer(500, {}, b"<html>", 0.1)) == "Unipile said 500"
    assert len(words(answer(400, "x", "long" * 1000))) == 300


def test_only_unipile_itself_may_have_any_port():
    assert ports_of("https://api8.unipile.com:13851/api/v1/chats") is None
    assert ports_of("https://unipile.com.evil.example:13851/") == HTTP_PORTS
    assert ports_of("https://evilunipile.com:13851/") == HTTP_PORTS


def test_a_form_carries_line_breaks_and_any_letters():
    body, kind = form({"text": "Grüße\r\n--x"})

    boundary = kind.partition("boundary=")[2]
    expected = f'--{boundary}\r\nContent-Disposition: form-data; name="text"\r\n\r\nGrüße\r\n--x\r\n'
    assert body.decode() == f"{expected}--{boundary}--\r\n"


def test_a_profile_without_an_id_is_declined(worked, unipile):
    unipile.answers["GET /api/v1/users/"] = (200, {"object": "UserProfile"})

    assert isinstance(Unipile().find(worked, "https://www.linkedin.com/in/grace"), Declined)


def test_a_profile_s_letters_are_encoded_once(worked, unipile):
    found = Unipile().find(worked, "https://www.linkedin.com/in/gr%C3%A9goire")

    assert found == Found(person_id="ACoAAAGrace")
    assert unipile.asked == ["GET /api/v1/users/gr%C3%A9goire?account_id=acc-1"]


def test_a_host_that_may_not_be_reached_locks_the_account(worked, unipile, settings):
    settings.OUTBOUND_ALLOW = []

    assert isinstance(Unipile().find(worked, "https://www.linkedin.com/in/grace"), Locked)


@pytest.mark.parametrize(
    ("said", "standing"),
    [
        ((200, {"sources": [{"status": "OK"}]}), (True, "OK")),
        ((200, {"sources": [{"status": "CREDENTIALS"}]}), (False, "CREDENTIALS")),
        (
            problem(404, "resource_not_found", "Account not found"),
            (False, "Unipile said 404 Account not found"),
        ),
    ],
)
def test_an_account_is_tested_in_unipile_s_words(worked, unipile, said, standing):
    unipile.answers["GET /api/v1/accounts/"] = said

    assert Unipile().status(worked) == standing


@time_machine.travel(datetime(2026, 3, 2, 14, tzinfo=UTC), tick=False)
def test_a_call_for_a_message_names_the_other_one_whoever_spoke():
    me, she = {"attendee_provider_id": "me"}, {"attendee_provider_id": "she", "attendee_name": "Grace"}
    call = {
        "account_id": "acc-1", "event": "message_received", "chat_id": "c", "message_id": "m",
        "message": "Hi", "account_info": {"user_id": "me"}, "timestamp": "2026-03-02T13:49:07.965Z",
    }  # fmt: skip
    grace, at = Person("Grace", "she", ""), datetime(2026, 3, 2, 13, 49, 7, 965000, tzinfo=UTC)

    hers = Unipile().news(ACCOUNT, call | {"sender": she, "attendees": [me]})
    mine = Unipile().news(ACCOUNT, call | {"sender": me, "attendees": [me, she]})

    assert hers == Said("m", "c", "Hi", grace, is_ours=False, at=at)
    assert mine == Said("m", "c", "Hi", grace, is_ours=True, at=at)


@time_machine.travel(datetime(2026, 3, 2, 14, tzinfo=UTC), tick=False)
def test_a_call_for_a_relation_names_the_profile():
    call = {"account_id": "acc-1", "event": "new_relation", "user_full_name": "Grace Hopper",
            "user_provider_id": "she", "user_profile_url": "linkedin.com/in/Grace-Hopper/"}  # fmt: skip

    news = Unipile().news(ACCOUNT, call)

    grace = Person("Grace Hopper", "she", "https://www.linkedin.com/in/grace-hopper")
    assert news == Related(grace, datetime(2026, 3, 2, 14, tzinfo=UTC))
