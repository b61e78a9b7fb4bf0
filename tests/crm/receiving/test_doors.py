"""The pipe of a mail server and the address for mail services."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from crm.models import ReceivedMail
from crm.receiving import accepting, inbound_address, post_url, renew_address
from crm.receiving.accepting import receive
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.crm.receiving.mails import NASTY, mail


def pipe(monkeypatch, content: bytes, *options: str) -> tuple[int, str]:
    """The command's exit status and what it says."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    said = io.StringIO()
    try:
        call_command("receive_mail", *options, stderr=said)
    except SystemExit as end:
        return int(end.code), said.getvalue().strip()
    return 0, said.getvalue().strip()


def rows() -> list[ReceivedMail]:
    with every_account():
        return list(ReceivedMail.objects.all())


def test_a_mail_server_pipes_a_mail_in(account, address, monkeypatch):
    assert pipe(
        monkeypatch, mail("a@example.net"), "--recipient", "b@example.net", "--recipient", address
    ) == (0, "")

    [row] = rows()
    assert (row.account, row.source) == (account, "pipe")


def test_without_a_recipient_the_headers_tell(address, monkeypatch):
    assert pipe(monkeypatch, mail(address))[0] == 0

    assert len(rows()) == 1


def test_mail_for_nobody_bounces(account, monkeypatch):
    assert pipe(monkeypatch, mail("a@example.net")) == (67, "No account has this address")

    assert rows() == []


def test_mail_that_is_too_long_or_empty_bounces(settings, address, monkeypatch):
    settings.INBOUND_LIMIT = 1000

    status, words = pipe(monkeypatch, mail(address, text="x" * 5000))

    assert (status, words) == (65, "The mail has 1,001 bytes; at most 0 MB are taken")
    assert pipe(monkeypatch, b"", "--recipient", address) == (65, "The mail is empty")
    assert rows() == []


def test_when_the_database_fails_the_mail_server_keeps_the_mail(address, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no database")

    monkeypatch.setattr(accepting, "keep", fail)

    assert pipe(monkeypatch, mail(address)) == (75, "The mail could not be kept now (RuntimeError)")


@pytest.fixture
def door(account, address, settings):
    return post_url(account).removeprefix(settings.PIPELIME_URL)


@pytest.mark.parametrize("kind", ["message/rfc822", "application/octet-stream", "text/plain"])
def test_a_mail_service_posts_the_message_itself(client, account, door, kind):
    answer = client.post(door, mail("a@example.net"), content_type=kind)

    assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
    [row] = rows()
    assert (row.account, row.source, row.subject) == (account, "url", "Loretta wants an offer")


@pytest.mark.parametrize("name", ["email", "message", "body-mime"])
def test_a_mail_service_posts_a_form_with_the_message_in_it(client, door, name):
    answer = client.post(door, {"from": "x", name: mail("a@example.net").decode()})

    assert answer.status_code == 200
    assert [row.subject for row in rows()] == ["Loretta wants an offer"]


def test_the_message_in_the_form_may_be_a_file(client, door):
    file = SimpleUploadedFile("mail.eml", mail("a@example.net"), "message/rfc822")

    assert client.post(door, {"message": file}).status_code == 200
    assert [row.subject for row in rows()] == ["Loretta wants an offer"]


def test_the_same_post_twice_is_one_mail(client, door):
    answers = [client.post(door, mail("a@example.net"), content_type="message/rfc822") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(rows()) == 1


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_mail_is_accepted(client, door, name):
    assert client.post(door, NASTY[name], content_type="message/rfc822").status_code == 200

    assert len(rows()) == 1


def test_another_signature_opens_no_door(client, account, door, stranger):
    forged = door[:-1] + ("0" if door[-1] != "0" else "1")
    other = door.replace(str(account.uid), str(stranger.account.uid))

    for path in (forged, other, door.replace(str(account.uid), "x")):
        assert client.post(path, mail("a@example.net"), content_type="message/rfc822").status_code == 404
    assert rows() == []


def test_a_new_address_ends_the_old_one_at_every_door(client, account, address, door, user):
    renew_address(account, by=user)

    assert client.post(door, mail("a@example.net"), content_type="message/rfc822").status_code == 404
    assert receive(mail(address), source="pipe") is None
    assert receive(mail(inbound_address(account)), source="pipe").account == account
    event = Event.objects.filter(name="account.updated").get()
    assert event.actor_id == user.pk
    assert account.inbound_key not in str(event.data)


def test_what_is_too_long_is_refused_as_such(client, settings, door):
    settings.INBOUND_LIMIT = 1000

    raw = client.post(door, b"x" * 1001, content_type="message/rfc822")
    file = client.post(door, {"email": SimpleUploadedFile("m", b"x" * 1001)})

    assert [answer.status_code for answer in (raw, file)] == [413, 413]
    assert rows() == []


def test_a_form_field_longer_than_django_reads_is_refused_as_such(client, settings, door):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    answer = client.post(door, {"email": "x" * 200})

    assert (answer.status_code, answer.json()) == (
        413,
        {"error": "The form is too large; send the message itself"},
    )


def test_a_post_without_a_message_says_what_is_missing(client, door):
    answer = client.post(door, {"subject": "hello"})

    assert answer.status_code == 400
    assert answer.json() == {"error": "Send the message itself, or a form with email, message, body-mime"}
    assert client.post(door, b" ", content_type="message/rfc822").json() == {"error": "The mail is empty"}


def test_the_door_takes_posts_only(client, door):
    assert client.get(door).status_code == 405


def test_the_addresses_of_every_account_are_printed(account, address):
    said = io.StringIO()

    call_command("inbound_addresses", stdout=said)

    assert said.getvalue() == f"{account.slug}\t{address}\t{post_url(account)}\n"
