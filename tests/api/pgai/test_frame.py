"""PG:AI's frame: credentials, scopes, limits, and errors in its words."""

import json
import logging

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from pipelime import logs
from pipelime.accounts.keys import create_key
from pipelime.accounts.models import Account
from tests.factories import ContactFactory

MOUNTS = ["/v1", "/public-api/v1"]


@pytest.fixture
def anonymous(db) -> APIClient:
    return APIClient()


@pytest.mark.parametrize("mount", MOUNTS)
def test_health_is_told_to_anybody(anonymous, mount):
    answer = anonymous.get(f"{mount}/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("way", ["header", "bearer", "address"])
def test_a_key_is_taken_in_three_ways_at_either_mount(anonymous, raw_key, mount, way):
    headers = {"header": {"x-api-key": raw_key}, "bearer": {"Authorization": f"Bearer {raw_key}"}}
    query = {"api_key": raw_key} if way == "address" else {}

    answer = anonymous.get(f"{mount}/contacts", query, headers=headers.get(way, {}))

    assert answer.status_code == 200


def test_without_a_key_the_answer_says_what_to_send(anonymous):
    answer = anonymous.get("/v1/contacts")

    assert answer.status_code == 401
    assert answer.json() == {"error": "API key is required. Send it in the x-api-key header"}


def test_an_unknown_key_is_refused(anonymous):
    answer = anonymous.get("/v1/contacts", headers={"x-api-key": "abc"})

    assert answer.status_code == 401
    assert answer.json() == {"error": "This API key is unknown or was revoked"}


@pytest.mark.parametrize(("scope", "status"), [("contacts:read", 403), ("contacts:*", 400), ("*", 400)])
def test_a_missing_scope_is_named_in_an_object(anonymous, account, user, scope, status):
    raw = create_key(account, name="tests", scopes=[scope], by=user)[1]

    answer = anonymous.post("/v1/contacts", {}, format="json", headers={"x-api-key": raw})

    assert answer.status_code == status
    if status == 403:
        assert answer.json() == {
            "error": {
                "type": "authorization_error",
                "code": "forbidden",
                "message": "You do not have permission to access this resource. "
                "Required scope: contacts:write",
            }
        }


def test_a_suspended_account_is_asked_to_pay(anonymous, account, raw_key):
    Account.objects.filter(pk=account.pk).update(suspended_at=timezone.now())

    answer = anonymous.get("/v1/contacts", headers={"x-api-key": raw_key})

    assert (answer.status_code, answer.json()) == (402, {"error": "This account is suspended"})


def test_every_answer_tells_what_is_left_of_the_minute(anonymous, account, raw_key):
    Account.objects.filter(pk=account.pk).update(settings={"requests_per_minute": 2})

    answers = [anonymous.get("/v1/contacts", headers={"x-api-key": raw_key}) for _ in range(3)]

    assert [answer.headers["X-RateLimit-Limit"] for answer in answers] == ["2"] * 3
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert all(int(answer.headers["X-RateLimit-Reset"]) > 0 for answer in answers)
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
    assert isinstance(answers[2].json()["error"], str)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/v1/nowhere", 404),
        ("post", "/public-api/v1/contacts/x/y", 404),
        ("delete", "/v1/contacts", 405),
        ("options", "/v1/contacts", 405),
        ("put", "/v1/health", 405),
    ],
)
def test_paths_and_methods_that_are_not_served_are_refused_in_a_sentence(
    anonymous, raw_key, method, path, status
):
    answer = getattr(anonymous, method)(path, headers={"x-api-key": raw_key})

    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"first_name=Ada", "application/x-www-form-urlencoded", 415),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_a_sentence(anonymous, raw_key, body, kind, status):
    answer = anonymous.post("/v1/contacts", body, content_type=kind, headers={"x-api-key": raw_key})

    assert answer.status_code == status
    assert isinstance(answer.json()["error"], str)


def test_what_breaks_on_our_side_is_a_500_in_a_sentence(anonymous, account, raw_key, monkeypatch):
    ContactFactory(account=account)
    monkeypatch.setattr("pipelime.api.pgai.contacts.summary", lambda contact: 1 / 0)

    answer = anonymous.get("/v1/contacts", headers={"x-api-key": raw_key})

    assert answer.status_code == 500
    assert "X-Request-Id" in answer.json()["error"]


@pytest.mark.parametrize(
    "secret", ["ki_0a1b2c3dQm9yZWQgcGVvcGxlIHJlYWQga2V5cyBpbiB0ZXN0cw", "not-one-of-ours"]
)
def test_a_key_in_an_address_is_in_no_log(secret):
    request = f"<WSGIRequest: GET '/v1/contacts?page=2&api_key={secret}&limit=3'>"

    written = json.dumps(logs.redact(logging.getLogger(), "error", {"request": request}))

    assert secret not in written
    assert "page=2" in written
    assert "limit=3" in written
