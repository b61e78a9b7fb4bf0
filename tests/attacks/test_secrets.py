"""Secrets at rest and on the way: each is shown once, to whom it belongs, and found nowhere else."""

from __future__ import annotations

import logging

import pytest
from django.apps import apps
from django.db import connection

from pipelime.events.models import Event
from webhooks.models import Endpoint

SMTP_WORD, IMAP_WORD, NEW_WORD = "canary-smtp-5117", "canary-imap-8842", "canary-smtp-9903"
PASSWORD = "canary battery staple 4471"
PAGES = [
    "/admin/",
    "/admin/outreach/emailaccount/",
    "/admin/webhooks/endpoint/",
    "/admin/webhooks/delivery/",
    "/admin/accounts/apikey/",
    "/admin/events/event/",
]
ANSWERS = [
    "/api/account",
    "/api/activity",
    "/api/api-keys",
    "/api/email-accounts",
    "/api/events",
    "/api/users",
    "/api/webhooks",
]


@pytest.fixture
def canaries(native, raw_key, user, client) -> dict[str, str]:
    """Every kind of secret, made and changed over the API as callers do, with repeatable requests."""
    user.set_password(PASSWORD)
    user.save()
    client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    smtp = {"host": "mail.example.com", "port": 587, "username": "sam", "password": SMTP_WORD}
    imap = {**smtp, "port": 993, "security": "tls", "password": IMAP_WORD}
    hook = {"url": "https://hooks.example.com/in", "events": ["*"]}
    key = post(native, "api-keys", {"name": "second", "scopes": ["*"]})["key"]
    made = post(native, "webhooks", hook)
    path = f"/api/email-accounts/{post(native, 'email-accounts', mailbox(smtp, imap))['id']}"
    changed = native.patch(path, {"smtp": {"password": NEW_WORD}}, format="json")
    assert changed.status_code == 200, changed.content
    rotated = post(native, f"webhooks/{made['id']}/rotate-secret", {}, status=200)["secret"]
    words = {"smtp": SMTP_WORD, "new smtp": NEW_WORD, "imap": IMAP_WORD, "password": PASSWORD}
    return {**words, "key": raw_key, "second key": key, "whsec": made["secret"], "rotated": rotated}


def mailbox(smtp: dict, imap: dict) -> dict:
    return {"email": "sam@example.com", "smtp": smtp, "imap": imap}


def post(native, path: str, body: dict, status: int = 201) -> dict:
    answer = native.post(f"/api/{path}", body, format="json", HTTP_IDEMPOTENCY_KEY=f"once {path}")
    assert answer.status_code == status, answer.content
    return answer.json()


def found(canaries: dict[str, str], text: str) -> list[str]:
    return [name for name, secret in canaries.items() if secret.removeprefix("whsec_") in text]


def test_no_secret_is_readable_in_any_table(canaries):
    hits = {}
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            hits[table] = found(canaries, repr(cursor.fetchall()))

    assert {table: names for table, names in hits.items() if names} == {}
    assert len(hits) > len(list(apps.get_models())) / 2


def test_no_answer_shows_a_secret_again(native, canaries):
    texts = {path: native.get(path) for path in ANSWERS}

    assert [path for path, answer in texts.items() if answer.status_code != 200] == []
    assert {path: found(canaries, answer.content.decode()) for path, answer in texts.items()} == {
        path: [] for path in ANSWERS
    }


def test_no_page_of_the_workspace_shows_a_secret(client, canaries):
    endpoint = Endpoint.objects.get()
    paths = [*PAGES, f"/admin/webhooks/endpoint/{endpoint.pk}/change/"]

    pages = {path: client.get(path, follow=True) for path in paths}

    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(paths, 200)
    assert [found(canaries, page.content.decode()) for page in pages.values()] == [[]] * len(paths)


def test_events_and_what_webhooks_are_told_hold_no_secret(canaries):
    told = repr(list(Event.objects.values_list("name", "data")))

    assert "mailbox.created" in told
    assert "endpoint.secret_rotated" in told
    assert found(canaries, told) == []


def test_a_replayed_answer_still_shows_what_the_first_one_did(native, canaries):
    again = native.post(
        "/api/api-keys",
        {"name": "second", "scopes": ["*"]},
        format="json",
        HTTP_IDEMPOTENCY_KEY="once api-keys",
    )

    assert again.json()["key"] == canaries["second key"]


def test_a_secret_in_a_refused_request_is_not_logged(native, caplog, capfd):
    body = {"email": "no address", "smtp": {"host": "x", "password": SMTP_WORD}, "odd": SMTP_WORD}

    with caplog.at_level(logging.DEBUG, logger="pipelime"):
        answer = native.post("/api/email-accounts", body, format="json")

    written = capfd.readouterr()
    assert answer.status_code == 422
    assert SMTP_WORD not in answer.content.decode() + caplog.text + written.out + written.err
