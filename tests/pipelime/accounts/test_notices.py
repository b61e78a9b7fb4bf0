"""The system's own mail: queued in the ledger, sent at least once, and never with somebody else's headers."""

import logging
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from pipelime.accounts import notices, tasks
from pipelime.accounts.models import Notice
from pipelime.accounts.notices import MailServer, parse_mail_url, send_notice
from pipelime.errors import Invalid
from pipelime.ledger import claim_due
from pipelime.scope import every_account
from tests.sinks import SmtpSink


@pytest.fixture
def sink(settings):
    with SmtpSink() as sink:
        settings.PIPELIME_MAIL_URL = f"smtp://127.0.0.1:{sink.port}"
        yield sink


def letter_in(arrival):
    return message_from_bytes(arrival.data, policy=policy.default)


def test_a_notice_wakes_a_worker_when_it_is_committed(account, bells, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        send_notice(account, "ada@example.com", "Hello", "Text")

    assert bells == ["pipelime.accounts.tasks.send_notices"]


def test_a_due_notice_is_sent_and_done(account, sink):
    notice = send_notice(account, "ada@example.com", "Grüße", "Schöne Grüße\n")

    assert tasks.send_notices() == 1
    assert tasks.send_notices() == 0

    [arrival] = sink.arrivals
    letter = letter_in(arrival)
    assert arrival.recipients == ("ada@example.com",)
    assert (letter["subject"], letter["to"]) == ("Grüße", "ada@example.com")
    assert letter["from"] == "Pipelime <pipelime@localhost>"
    assert letter["message-id"] == f"<notice.{notice.uid}@localhost>"
    assert letter.get_content().strip() == "Schöne Grüße"
    notice.refresh_from_db()
    assert (notice.state, notice.attempts, notice.lease_until) == ("done", 1, None)


def test_several_notices_share_a_connection(account, sink):
    for number in range(12):
        send_notice(account, f"user{number}@example.com", "Hello", "Text")

    assert tasks.send_notices() == 12
    assert sorted(arrival.recipients[0] for arrival in sink.arrivals) == sorted(
        f"user{number}@example.com" for number in range(12)
    )


def test_a_subject_is_one_line_whatever_is_in_it(account, sink):
    send_notice(account, "ada@example.com", "Hello\r\nBcc: eve@example.com\n\x0bX: y", "Text")

    tasks.send_notices()

    [arrival] = sink.arrivals
    letter = letter_in(arrival)
    assert letter["subject"] == "Hello Bcc: eve@example.com X: y"
    assert letter["bcc"] is None
    assert arrival.recipients == ("ada@example.com",)


@pytest.mark.parametrize(
    "to", ["", "ada", "a@b.com, c@d.com", "a@b.com\nBcc: c@d.com", "Ada <a@b.com>", "a@b.com\x00"]
)
def test_a_notice_goes_to_exactly_one_address(account, to):
    with pytest.raises(Invalid) as refusal:
        send_notice(account, to, "Hello", "Text")

    assert list(refusal.value.fields) == ["to"]
    assert not Notice.objects.exists()


def test_without_a_mail_server_a_notice_waits(account, settings):
    settings.PIPELIME_MAIL_URL, settings.SINK_PORT = "", 0
    notice = send_notice(account, "ada@example.com", "Hello", "Text")

    assert tasks.send_notices() == 0

    notice.refresh_from_db()
    assert (notice.state, notice.attempts) == ("queued", 1)
    assert "PIPELIME_MAIL_URL is not set" in notice.last_error
    assert notice.due_at > timezone.now() + timedelta(seconds=20)


def test_the_local_sink_takes_the_mail_when_nothing_else_is_named(account, settings):
    with SmtpSink() as sink:
        settings.PIPELIME_MAIL_URL, settings.SINK_PORT = "", sink.port
        send_notice(account, "ada@example.com", "Hello", "Text")

        assert tasks.send_notices() == 1

    assert len(sink.arrivals) == 1


def test_a_server_that_is_away_is_tried_again(account, settings):
    with SmtpSink() as gone:
        settings.PIPELIME_MAIL_URL = f"smtp://127.0.0.1:{gone.port}"
    notice = send_notice(account, "ada@example.com", "Hello", "Text")

    tasks.send_notices()

    notice.refresh_from_db()
    assert (notice.state, notice.attempts) == ("queued", 1)


@pytest.mark.parametrize(
    ("reply", "state"), [("550 5.1.1 nobody here", "failed"), ("451 4.2.0 later", "queued")]
)
def test_a_refused_recipient_is_final_and_a_deferred_one_is_not(account, settings, reply, state):
    with SmtpSink({"RCPT": reply}) as sink:
        settings.PIPELIME_MAIL_URL = f"smtp://127.0.0.1:{sink.port}"
        notice = send_notice(account, "ada@example.com", "Hello", "Text")

        tasks.send_notices()

    notice.refresh_from_db()
    assert notice.state == state
    assert reply[4:] in notice.last_error


def test_a_notice_is_given_up_after_its_last_attempt(account, settings):
    settings.PIPELIME_MAIL_URL, settings.SINK_PORT = "", 0
    notice = send_notice(account, "ada@example.com", "Hello", "Text")
    Notice.objects.update(attempts=notices.ATTEMPTS - 1)

    tasks.send_notices()

    notice.refresh_from_db()
    assert (notice.state, notice.attempts) == ("failed", notices.ATTEMPTS)


def test_a_dead_workers_notice_is_sent_by_another(account, sink):
    notice = send_notice(account, "ada@example.com", "Hello", "Text")
    with every_account():
        claim_due(Notice, limit=1, now=timezone.now())
    Notice.objects.update(lease_until=timezone.now() - timedelta(minutes=5))

    assert tasks.send_notices() == 1

    notice.refresh_from_db()
    assert notice.state == "done"


def test_whose_lease_is_lost_sends_nothing(account, sink):
    notice = send_notice(account, "ada@example.com", "Hello", "Text")

    sent = notices.deliver([notice], {notice.pk: 99})

    assert sent == 0
    assert sink.arrivals == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", MailServer("mail.example.com", 25, "none")),
        ("smtps://u%40x:p%3Aw@mail.example.com", MailServer("mail.example.com", 465, "tls", "u@x", "p:w")),
        ("smtp+starttls://u:p@[::1]:2525", MailServer("::1", 2525, "starttls", "u", "p")),
    ],
)
def test_a_mail_url_names_a_server(url, server):
    assert parse_mail_url(url) == server


@pytest.mark.parametrize(
    "url", ["mail.example.com", "http://u:geheim@x", "smtp://", "smtp://u:geheim@x:port"]
)
def test_a_wrong_mail_url_is_told_without_its_password(url):
    with pytest.raises(ImproperlyConfigured, match="PIPELIME_MAIL_URL") as refusal:
        parse_mail_url(url)

    assert "geheim" not in str(refusal.value)


def test_a_failing_housekeeper_does_not_keep_the_others_from_their_work(settings, monkeypatch):
    done = []
    monkeypatch.setattr(notices, "first", lambda: 1 / 0, raising=False)
    monkeypatch.setattr(notices, "second", lambda: done.append("second"), raising=False)
    settings.HOUSEKEEPING = [
        "pipelime.nowhere.prune",
        "pipelime.accounts.notices.first",
        "pipelime.accounts.notices.second",
    ]
    logging.disable(logging.CRITICAL)

    try:
        tasks.keep_house()
    finally:
        logging.disable(logging.NOTSET)

    assert done == ["second"]
