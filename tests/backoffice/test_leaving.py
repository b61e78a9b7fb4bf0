"""Unsubscribing as mail programs do it: RFC 2369 and RFC 8058, line by line."""

from __future__ import annotations

import email
from email import policy

import pytest
from django.test import Client
from django.utils import timezone

from crm.models import Contact
from outreach import letters
from outreach.composing import compose
from outreach.models import Message, Suppression
from outreach.unsubscribing import token_for
from pipelime.scope import every_account
from tests.factories import MailboxFactory, MessageFactory, SequenceStepFactory

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def message(account) -> Message:
    return MessageFactory(account=account)


@pytest.fixture
def path(message) -> str:
    return f"/u/{token_for(message.uid)}"


@pytest.fixture
def program() -> Client:
    """A mail program: it has no cookie, and nothing that a page of ours has told it."""
    return Client(enforce_csrf_checks=True)


def headers_of(account, **mailbox) -> email.message.Message:
    step = SequenceStepFactory(account=account)
    message = MessageFactory(account=account, mailbox=MailboxFactory(account=account, **mailbox))
    _, letter = letters.write(message, step, [], timezone.now())
    return email.message_from_bytes(compose(letter), policy=policy.SMTP)


def has_left(message: Message) -> bool:
    with every_account():
        return Suppression.objects.filter(account_id=message.account_id, cause="unsubscribed").exists()


def test_every_mail_of_a_campaign_names_both_headers(account, settings):
    settings.PIPELIME_PUBLIC_URL = "https://mail.acme.example"

    headers = headers_of(account)

    assert headers["List-Unsubscribe"].startswith("<https://mail.acme.example/u/")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_web_address_comes_first_and_the_mail_address_after_it(account, settings):
    settings.PIPELIME_PUBLIC_URL = "https://mail.acme.example"

    headers = headers_of(account, email="bo@acme.example", imap_host="imap.acme.example")

    web, mail = headers["List-Unsubscribe"].split(", ")
    token = web.removeprefix("<https://mail.acme.example/u/").removesuffix(">")
    assert mail == f"<mailto:bo@acme.example?subject=unsubscribe%20{token}>"


def test_a_mailbox_that_nobody_reads_offers_no_leaving_by_mail(account):
    assert "mailto:" not in headers_of(account, imap_host="")["List-Unsubscribe"]


def test_no_address_of_anybody_stands_in_the_link(account, message, path):
    assert message.to_address not in path
    assert message.to_address.encode().hex() not in path


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "bare"])
def test_a_post_unsubscribes_at_once_whatever_form_it_has(program, message, path, kind):
    forms = {
        "urlencoded": {
            "data": "List-Unsubscribe=One-Click",
            "content_type": "application/x-www-form-urlencoded",
        },
        "multipart": {"data": ONE_CLICK},
        "bare": {"data": b"", "content_type": "application/x-www-form-urlencoded"},
    }

    answer = program.post(path, **forms[kind])

    assert answer.status_code == 200
    assert has_left(message)
    assert not answer.cookies


def test_a_second_post_is_answered_as_the_first(program, message, path):
    answers = [program.post(path, ONE_CLICK) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    with every_account():
        assert Suppression.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete", "patch"])
def test_nothing_but_a_post_changes_anything(program, message, path, method):
    answer = getattr(program, method)(path)

    assert answer.status_code in (200, 403, 405)
    assert not has_left(message)


def test_looking_shows_one_button(program, path):
    content = program.get(path).content.decode()

    assert content.count("<button>") == 1
    assert "csrfmiddlewaretoken" not in content


def test_it_works_after_contact_and_campaign_are_deleted(program, message, path):
    with every_account():
        Contact.objects.update(deleted_at=timezone.now())
        campaign = message.campaign
        campaign.deleted_at = timezone.now()
        campaign.save()

    assert program.post(path, ONE_CLICK).status_code == 200
    assert has_left(message)


def test_it_works_when_nothing_of_them_is_left(program, message, path):
    with every_account():
        campaign, enrolment, contact = message.campaign, message.enrolment, message.enrolment.contact
        enrolment.delete()
        campaign.delete()
        Contact.objects.filter(pk=contact.pk).delete()

    assert program.post(path, ONE_CLICK).status_code == 200
    assert has_left(message)


def test_a_link_does_not_grow_old(program, message, path, time_machine):
    time_machine.move_to("2040-01-01")

    assert program.post(path, ONE_CLICK).status_code == 200
    assert has_left(message)
