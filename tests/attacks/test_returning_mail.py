"""Mail that comes back may be anybody's: none of it breaks the poll, and none of it is believed unproven."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outreach.incoming.matching import is_wanted
from outreach.incoming.reading import head
from outreach.incoming.taking import take_in
from outreach.models import EmailAccount, Enrolment, Incoming, Message, Suppression
from outreach.unsubscribing import token_for
from pipelime.scope import account_scope
from tests.api.asking import stored_rows
from tests.factories import AccountFactory, EnrolmentFactory, MailboxFactory, MessageFactory
from tests.outreach.incoming.conftest import CORPUS

NOW = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
OURS = "<0193476a@sender.example>"


@pytest.fixture
def mailbox(account) -> EmailAccount:
    return MailboxFactory(account=account, email="sam@sender.example")


@pytest.fixture
def message(account, mailbox) -> Message:
    place = EnrolmentFactory(account=account, mailbox=mailbox, address="grace@example.com")
    return MessageFactory(
        account=account, enrolment=place, mailbox=mailbox, state="sent", sent_at=NOW - timedelta(hours=1),
        to_address="grace@example.com", message_id=OURS,
    )  # fmt: skip


def report(about: str, to: str = "grace@example.com") -> bytes:
    """A mail server's report of a failure, as anybody can write one."""
    return (
        "From: MAILER-DAEMON@evil.example\r\nTo: sam@sender.example\r\nSubject: Undelivered\r\n"
        f"Message-ID: <{uuid4()}@evil.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt failed.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; evil.example\r\n\r\n"
        f"Final-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {about}\r\n\r\n--b--\r\n"
    ).encode()


def complaint(about: str, to: str = "grace@example.com") -> bytes:
    return (
        "From: feedback@evil.example\r\nTo: sam@sender.example\r\nSubject: Abuse\r\n"
        f"Message-ID: <{uuid4()}@evil.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: abuse\r\nVersion: 1\r\nOriginal-Rcpt-To: {to}\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {about}\r\nTo: {to}\r\n\r\nHi\r\n--b--\r\n"
    ).encode()


def answer(**headers: str) -> bytes:
    facts = {"From": "eve@evil.example", "To": "sam@sender.example", "Subject": "Hello", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in facts.items()]
    return "\r\n".join([*lines, f"Message-ID: <{uuid4()}@evil.example>", "", "Yes.", ""]).encode()


GUESSED = f"<{uuid4()}@sender.example>"
FORGED = {
    "a report of a mail that was never sent": report(GUESSED),
    "a report about a stranger's address": report(OURS, to="linus@example.com"),
    "a report that names no mail": report(""),
    "a complaint of a mail that was never sent": complaint(GUESSED),
    "a complaint about a stranger's address": complaint(OURS, to="linus@example.com"),
    "an answer to a mail that was never sent": answer(In_Reply_To=GUESSED, References=GUESSED),
    "a token that was not signed here": answer(Subject="unsubscribe " + "A" * 38),
    "a token behind a plus": answer(To=f"sam+{'A' * 38}@sender.example"),
    "a mail from ourselves": answer(From="Sam@sender.example", In_Reply_To=OURS),
}


@pytest.mark.parametrize("raw", FORGED.values(), ids=list(FORGED))
def test_what_proves_nothing_changes_nothing(mailbox, message, raw):
    before = stored_rows()

    assert take_in(mailbox, raw, NOW) is None
    assert stored_rows() == before


@pytest.mark.parametrize("write", [report, complaint])
def test_the_same_report_is_believed_of_what_we_sent_to_that_address(mailbox, message, write):
    """So that the forgeries above fail for what is forged in them."""
    assert take_in(mailbox, write(OURS), NOW) is not None
    assert Suppression.objects.count() == 1


@pytest.fixture
def theirs(mailbox) -> Message:
    """A mail of another account."""
    other = AccountFactory()
    with account_scope(other):
        return MessageFactory(
            account=other, state="sent", sent_at=NOW, to_address="grace@example.com",
            message_id="<theirs@sender.example>",
        )  # fmt: skip


@pytest.mark.parametrize(
    "write",
    [
        lambda theirs: answer(In_Reply_To=theirs.message_id),
        lambda theirs: answer(Subject=f"unsubscribe {token_for(theirs.uid)}"),
        lambda theirs: answer(To=f"sam+{token_for(theirs.uid)}@sender.example"),
        lambda theirs: report(theirs.message_id),
        lambda theirs: complaint(theirs.message_id),
        lambda theirs: report(f"<x@y>\r\nX-Message-Ref: {theirs.uid.hex}"),
    ],
    ids=[
        "its Message-ID",
        "its token",
        "its token behind a plus",
        "a report",
        "a complaint",
        "its reference",
    ],
)
def test_a_mail_that_names_what_another_account_sent_changes_nothing_anywhere(mailbox, theirs, write):
    before = stored_rows()

    assert take_in(mailbox, write(theirs), NOW) is None
    assert stored_rows() == before


HEADERS = st.sampled_from(
    [
        b"From: grace@example.com\r\n",
        b"From: =?utf-8?q?=ff=00?= <grace@example.com>\r\n",
        b"From: \xff\xfe <grace@example.com>\r\n",
        b"From: " + b"(" * 500 + b"\r\n",
        b"Subject: \x00\xff\r\n",
        b"Subject: =?utf-16?b?2AA=?=\r\n",
        b"Subject: =?idna?q?xn--a?= =?punycode?b?AAAA?=\r\n",
        b"Message-ID: <\xff\x00@x>\r\n",
        b"Message-ID: <" + b"x" * 2_000 + b">\r\n",
        f"In-Reply-To: {OURS}\r\n".encode(),
        f"References: <\\x00> <\\udcff> {OURS}\r\n".encode(),
        b"References: <\x00@x> <\xff@x> <0193476a@sender.example>\r\n",
        b"References: " + b"<a@b> " * 3_000 + b"\r\n",
        b"Date: Fri, 31 Dec 9999 23:59:59 -1400\r\n",
        b"Date: Mon, 1 Jan 0001 00:00:00 +1400\r\n",
        b"Date: 99 Foo 2026\r\n",
        b"Auto-Submitted: auto-replied\r\n",
        b"Return-Path: <>\r\n",
        b"To: sam+" + b"A" * 38 + b"@sender.example\r\n",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
        b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: text/html; charset=utf-7\r\n",
        b"Content-Type: text/plain; charset=\xff\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"X-Failed-Recipients: grace@example.com\r\n",
        b" folded\x00\r\n",
        b"\r\n",
    ]
)
PIECES = st.sampled_from(
    [
        b"Back on 31 February 2026. Retour le 99/99/9999, until 0000-00-00.\r\n",
        b"\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: x\r\n\r\n",
        b"Final-Recipient: rfc822; grace@example.com\r\nAction: failed\r\nStatus: 5.1.1\xff\r\n\r\n",
        b"Action: \r\nFinal-Recipient: \x00\r\nDiagnostic-Code: smtp; \xff\x00" + b"x" * 3_000 + b"\r\n\r\n",
        b"\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n",
        b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n",
        b"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n",
        b"Message-ID: <0193476a@sender.example>\r\nX-Message-Ref: zz\r\n\r\n",
        b"On Mon, Sam wrote:\r\n> Hi\r\n>" + b">" * 500 + b"\r\n",
        b"<blockquote>" * 300 + b"\x00\xff\xfe",
        b"unsubscribe " + b"A" * 38 + b"\r\n",
        b"\r\n--b--\r\n",
    ]
)
LETTERS = sorted(path.read_bytes() for path in CORPUS.glob("*.eml"))


def mails() -> st.SearchStrategy[bytes]:
    """Of odd headers and pieces, or of a real letter that was cut up and put together wrongly."""
    made = st.tuples(st.lists(HEADERS, max_size=8), st.lists(PIECES | st.binary(max_size=40), max_size=5))
    glued = made.map(lambda halves: b"".join(halves[0]) + b"\r\n" + b"".join(halves[1]))
    cut = st.tuples(st.sampled_from(LETTERS), st.integers(0, 3_000), PIECES, st.integers(0, 3_000))
    return glued | cut.map(lambda it: it[0][: it[1]] + it[2] + it[0][it[3] :])


def test_no_mail_breaks_the_poll(mailbox, message):
    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(raw=mails(), known=st.booleans())
    def attack(raw, known):
        raw = f"In-Reply-To: {OURS}\r\n".encode() + raw if known else raw
        with transaction.atomic():
            is_wanted(head(raw, NOW), mailbox)
            incoming = take_in(mailbox, raw, NOW)
            assert incoming is None or Incoming.objects.get().kind in Incoming.Kind.values
            assert Enrolment.objects.get().address == "grace@example.com"
            transaction.set_rollback(True)

    attack()
