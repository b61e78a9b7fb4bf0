"""Fetching mail from the operator's mailbox, over a real connection."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from crm import tasks
from crm.models import Inbox, ReceivedMail
from crm.receiving import polling
from crm.receiving.imap import Place, parse_imap_url
from tests.crm.receiving.mails import mail
from tests.imap_server import serving


@pytest.fixture
def mailbox(settings):
    with serving() as server:
        settings.INBOUND_IMAP = server.url
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{server.server_address[1]}"]
        yield server


def subjects() -> list[str]:
    return [row.subject for row in ReceivedMail.objects.order_by("id")]


def test_unread_mail_is_fetched_and_marked_as_read(account, address, mailbox):
    uid = mailbox.put(mail(address))

    assert tasks.poll_inbox() == 1

    row = ReceivedMail.objects.get()
    assert (row.account, row.source, row.subject) == (account, "imap", "Loretta wants an offer")
    assert row.size == len(mailbox.messages[uid])
    assert mailbox.seen == {uid}
    inbox = Inbox.objects.get()
    assert (inbox.uid_validity, inbox.last_uid, inbox.last_error, inbox.busy_until) == (7, uid, "", None)
    assert inbox.name == f"leads@example.com@127.0.0.1:{mailbox.server_address[1]}/INBOX"


def test_the_next_poll_takes_what_has_come_since_read_or_not(address, mailbox):
    mailbox.put(mail(address, subject="one"))
    polling.poll()
    mailbox.seen.add(mailbox.put(mail(address, subject="two, opened by somebody")))

    assert polling.poll() == 1
    assert polling.poll() == 0
    assert subjects() == ["one", "two, opened by somebody"]


def test_a_mailbox_made_anew_is_read_anew_and_nothing_is_doubled(address, mailbox):
    first, second = mail(address, subject="one"), mail(address, subject="two")
    mailbox.put(first)
    polling.poll()
    mailbox.uid_validity, mailbox.messages, mailbox.seen = 8, {1: second, 2: first}, set()

    assert polling.poll() == 2
    assert subjects() == ["one", "two"]
    assert Inbox.objects.get().uid_validity == 8


def test_mail_for_nobody_and_mail_that_is_too_long_stay_unread(settings, address, mailbox):
    settings.INBOUND_LIMIT = 2000
    mailbox.put(mail("somebody@example.net"))
    mailbox.put(mail(address, text="x" * 3000))
    last = mailbox.put(mail(address))

    assert polling.poll() == 1

    assert mailbox.seen == {last}
    assert not [line for line in mailbox.commands if line.startswith("UID FETCH 2 (BODY")]


def test_a_mail_is_marked_only_once_it_is_kept(address, mailbox, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no room on the disk")

    mailbox.put(mail(address))
    with monkeypatch.context() as patch:
        patch.setattr("crm.receiving.accepting.files.keep", fail)
        polling.poll()
    unmarked, inbox = set(mailbox.seen), Inbox.objects.get()

    assert (unmarked, inbox.last_uid, inbox.last_error) == (set(), 0, "OSError: no room on the disk")
    assert polling.poll() == 1
    assert subjects() == ["Loretta wants an offer"]


def test_one_worker_polls_at_a_time(address, mailbox):
    mailbox.put(mail(address))
    name = parse_imap_url(mailbox.url).name
    inbox = Inbox.objects.create(name=name, busy_until=timezone.now() + timedelta(minutes=5))

    assert polling.poll() == 0
    assert mailbox.commands == []

    Inbox.objects.filter(pk=inbox.pk).update(busy_until=timezone.now() - timedelta(seconds=1))
    assert polling.poll() == 1


def test_a_wrong_password_is_told_without_the_password(settings, address, mailbox):
    settings.INBOUND_IMAP = mailbox.url.replace("secret", "guess")

    assert polling.poll() == 0

    error = Inbox.objects.get().last_error
    assert "who are you" in error
    assert "guess" not in error


def test_a_password_does_not_travel_in_clear_unless_the_operator_allows_it(settings, address, mailbox):
    settings.OUTBOUND_ALLOW = []

    assert polling.poll() == 0

    assert mailbox.commands == []
    assert "Refused" in Inbox.objects.get().last_error


def test_without_a_mailbox_nothing_is_polled(settings, db):
    settings.INBOUND_IMAP = ""

    assert polling.poll() == 0
    assert not Inbox.objects.exists()


def test_an_address_that_cannot_be_read_is_no_reason_to_fall_over(settings, db):
    settings.INBOUND_IMAP = "pop3://x"

    assert polling.poll() == 0


def test_addresses_of_mailboxes():
    assert parse_imap_url("imaps://a%40b.c:p%2Fw@mail.example.com/Inbox/Leads") == Place(
        "mail.example.com", 993, True, "a@b.c", "p/w", "Inbox/Leads"
    )
    assert parse_imap_url("imap://a:b@mail.example.com:1143") == Place(
        "mail.example.com", 1143, False, "a", "b", "INBOX"
    )


@pytest.mark.parametrize(
    "url", ["imaps://mail.example.com", "https://a:b@c", "imaps://a:secret@c:x/", "imaps://a:secret@c/%C3%9C"]
)
def test_a_bad_address_is_told_without_its_password(url):
    with pytest.raises(ImproperlyConfigured) as refusal:
        parse_imap_url(url)

    assert "secret" not in str(refusal.value)
