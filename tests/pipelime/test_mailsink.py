"""Mail of the demo ends in files that can be listed and read, newest first, and never fill the disk."""

from __future__ import annotations

import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope

from pipelime.mailsink import Mailsink, load, stored

ROOT = Path(__file__).resolve().parent.parent.parent
MAIL = (
    b"From: Ann <ann@example.com>\r\nTo: Bob <bob@example.org>\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n"
    b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nHello\r\n"
)


def envelope(content: bytes = MAIL, sender: str = "ann@example.com", *to: str) -> Envelope:
    made = Envelope()
    made.mail_from, made.rcpt_tos, made.original_content = sender, list(to or ["bob@example.org"]), content
    return made


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[smtplib.SMTP]:
    """A client of a sink in a process of its own; its folder is `mail` below tmp_path."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "pipelime.mailsink", str(tmp_path / "mail"), str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == f"Taking mail at 127.0.0.1:{port}\n"
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        yield client
    process.terminate()
    assert process.wait(timeout=20) == 0
    process.stdout.close()


def test_a_mail_sent_over_smtp_can_be_listed_and_read(sink, tmp_path):
    sink.sendmail("ann@example.com", ["bob@example.org", "hidden@example.org"], MAIL)

    [found] = stored(tmp_path / "mail")
    message = load(tmp_path / "mail", found.id)
    assert (found.sender, found.to, found.subject) == (
        *("Ann <ann@example.com>", "Bob <bob@example.org>", "Café"),
    )
    assert found.date == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert message["X-Envelope-To"] == "bob@example.org, hidden@example.org"
    assert message.get_content() == "Hello\r\n"


def test_any_login_is_taken_in_clear(sink):
    code, _ = sink.login("demo", "anything")

    assert code == 235


def test_the_newest_mails_come_first_and_no_more_than_asked_for(tmp_path):
    handler = Mailsink(tmp_path)
    kept = [handler.keep(envelope(MAIL.replace(b"Hello", b"%d" % number))) for number in range(3)]

    found = [one.id for one in stored(tmp_path, limit=2)]

    assert found == [kept[2], kept[1]]


def test_a_full_folder_loses_its_oldest_mail(tmp_path):
    first = Mailsink(tmp_path, capacity=2).keep(envelope())
    restarted = Mailsink(tmp_path, capacity=2)
    second, third = restarted.keep(envelope()), restarted.keep(envelope())

    assert [one.id for one in stored(tmp_path)] == [third, second]
    with pytest.raises(LookupError, match=f"holds no message {first}"):
        load(tmp_path, first)


def test_a_mail_without_headers_is_listed_by_its_envelope(tmp_path):
    Mailsink(tmp_path).keep(envelope(b"\r\nonly text\r\n", "", "bob@example.org"))

    [found] = stored(tmp_path)

    assert (found.sender, found.to, found.subject, found.date) == ("<>", "bob@example.org", "", None)


@pytest.mark.parametrize("wrong", ["../secrets/secret_key", "", "x", "0" * 16 + "-" + "0" * 8 + "\n"])
def test_an_id_cannot_lead_out_of_the_folder(tmp_path, wrong):
    with pytest.raises(LookupError, match="is not the id of a stored message"):
        load(tmp_path, wrong)


def test_a_folder_that_is_not_there_yet_holds_no_mail(tmp_path):
    assert stored(tmp_path / "none") == []
