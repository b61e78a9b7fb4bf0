"""What a mail program gets for a counted link or image, and what strangers get."""

from __future__ import annotations

import pytest

from outreach.models import TrackedLink, Visit
from outreach.tracking import token_for
from pipelime.scope import every_account
from tests.factories import MessageFactory

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"


@pytest.fixture
def message(account):
    return MessageFactory(account=account, state="sent")


@pytest.fixture
def link(account):
    return TrackedLink.objects.create(account=account, url="https://a.example/ö?x=1#y", digest="a")


def visits() -> list[tuple]:
    with every_account():
        return list(Visit.objects.order_by("pk").values_list("link__url", "looks_automatic", "verdict"))


def test_a_click_leads_on_and_is_noted(client, message, link):
    answer = client.get(f"/c/{token_for(message.uid, link.pk)}", headers={"User-Agent": CHROME})

    assert (answer.status_code, answer["Location"]) == (302, "https://a.example/%C3%B6?x=1#y")
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies
    assert visits() == [("https://a.example/ö?x=1#y", False, "")]


def test_an_open_shows_a_dot_and_is_noted(client, message):
    answer = client.get(f"/o/{token_for(message.uid)}.gif", headers={"User-Agent": "curl/8"})

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    assert visits() == [(None, True, "")]


def test_a_head_leads_on_and_counts_nothing(client, message, link):
    assert client.head(f"/c/{token_for(message.uid, link.pk)}").status_code == 302
    assert client.head(f"/o/{token_for(message.uid)}.gif").status_code == 200
    assert visits() == []


@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_nothing_else_is_answered(client, message, link, method):
    assert getattr(client, method)(f"/c/{token_for(message.uid, link.pk)}").status_code == 405
    assert visits() == []


def test_what_we_did_not_sign_leads_nowhere(client, message, link):
    token = token_for(message.uid, link.pk)
    forged = [
        token[:-2] + "AA",
        "A" * 48,
        "x",
        token_for(message.uid),  # of an open
        token_for(message.uid, link.pk + 1),
    ]

    answers = [client.get(f"/c/{one}?url=https://evil.example") for one in forged]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert not any(answer.has_header("Location") for answer in answers)
    assert visits() == []


def test_a_click_s_token_is_no_image(client, message, link):
    assert client.get(f"/o/{token_for(message.uid, link.pk)}.gif").status_code == 404
    assert visits() == []


def test_nothing_in_the_address_changes_where_it_leads(client, message, link):
    answer = client.get(f"/c/{token_for(message.uid, link.pk)}?next=//evil.example&url=https://evil.example")

    assert answer["Location"] == "https://a.example/%C3%B6?x=1#y"


def test_a_stored_address_that_became_unsafe_is_not_followed(client, message, link):
    TrackedLink.objects.update(url="javascript:alert(1)")

    assert client.get(f"/c/{token_for(message.uid, link.pk)}").status_code == 404


def test_the_reader_goes_on_when_nothing_can_be_written(client, message, link, monkeypatch):
    from django.db import DatabaseError

    from pipelime.backoffice import tracked

    def fail(*args, **kwargs):
        raise DatabaseError("disk full")

    monkeypatch.setattr(tracked, "note", fail)

    assert client.get(f"/c/{token_for(message.uid, link.pk)}").status_code == 302


def test_a_click_costs_few_queries(client, message, link, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        client.get(f"/c/{token_for(message.uid, link.pk)}")
