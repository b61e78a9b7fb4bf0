"""The same request from many at once: one is first, and the others are told so."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import pytest
from django.db import connections
from rest_framework.test import APIClient

from crm.models import Contact
from pipelime.api import limits

MANY = 8
SERVER = {"host": "mail.example.com", "port": 587}
SAME = [
    ("contacts", {"email": "one@example.com"}),
    ("blocklist", {"value": "one@example.com"}),
    ("email-accounts", {"email": "one@example.com", "smtp": SERVER}),
    ("users", {"email": "one@example.com"}),
    ("pipelines", {"name": "One"}),
    ("fields", {"kind": "contact", "name": "One"}),
]


def at_once(raw_key: str, path: str, body: dict, **headers: str) -> list:
    """The answers to one POST sent by several threads that wait for each other to be ready."""
    together = Barrier(MANY)

    def send(_: int):
        client = APIClient()
        together.wait()
        try:
            return client.post(
                f"/api/{path}", body, format="json", HTTP_AUTHORIZATION=f"Bearer {raw_key}", **headers
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(MANY) as threads:
        return list(threads.map(send, range(MANY)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("path", "body"), SAME)
def test_of_many_who_make_the_same_one_does_and_the_others_are_told_which(raw_key, path, body):
    answers = at_once(raw_key, path, body)

    [made] = [answer.json() for answer in answers if answer.status_code == 201]
    told = [answer.json()["error"] for answer in answers if answer.status_code == 409]
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: MANY - 1}
    assert {word for error in told for word in error.get("details", {}).get("existing_id", [])} <= {
        made["id"]
    }


@pytest.mark.django_db(transaction=True)
def test_one_idempotency_key_makes_one_row_however_many_send_it(raw_key):
    body = {"first_name": "Ada"}

    answers = at_once(raw_key, "contacts", body, HTTP_IDEMPOTENCY_KEY="once")

    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(made) == Contact.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_limit_lets_exactly_its_number_through(raw_key, account, monkeypatch):
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: 1_800_000_000.0, monotonic=lambda: 0.0))
    account.settings = {"requests_per_minute": 5}
    account.save()

    answers = at_once(raw_key, "contacts", {"first_name": "Ada"})

    assert Counter(answer.status_code for answer in answers) == {201: 5, 429: MANY - 5}
