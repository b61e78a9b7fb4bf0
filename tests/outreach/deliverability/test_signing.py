"""What we sign is checked by dkimpy, a reader that is not ours."""

from datetime import UTC, datetime

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.composing import Letter, compose
from outreach.deliverability.signing import Signer, record_of
from tests.outreach.deliverability.keys import a_key

WHEN = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MUST_BE_SIGNED = {
    "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "list-unsubscribe",
    "list-unsubscribe-post", "mime-version", "content-type",
}  # fmt: skip


def signed(**changes) -> bytes:
    letter = {
        "message_id": "<1@acme.example>",
        "from_address": "bo@acme.example",
        "to_address": "ana@b.example",
        "subject": "Hello",
        "date": WHEN,
        "text": "Hi Ana,\nhow are you?",
        "signer": Signer("acme.example", "pipelime", a_key()),
    }
    return compose(Letter(**(letter | changes)))


def is_valid(mail: bytes) -> bool:
    def published(name: bytes, timeout: int = 5) -> bytes:
        return record_of(a_key()).encode() if name == b"pipelime._domainkey.acme.example." else b""

    return dkim.verify(mail, dnsfunc=published)


def test_a_signed_mail_is_valid():
    assert is_valid(signed())


def test_a_follow_up_with_everything_is_valid():
    mail = signed(
        subject="Ünïcödé " * 20,
        to_name="李雷",
        html="<p>Hi  there \t </p>\n\n\n",
        in_reply_to="<0@acme.example>",
        references=[f"<{n}@acme.example>" for n in range(9)],
        unsubscribe_url="https://p.example/u/x",
        unsubscribe_mailto="bo@acme.example",
        unsubscribe_token="x",
        reference="0190",
    )

    assert is_valid(mail)


def test_the_signature_covers_what_providers_want():
    header = dkim.rfc822_parse(signed())[0][0]
    fields = dkim.util.parse_tag_value(header[1])

    assert header[0] == b"DKIM-Signature"
    assert (fields[b"a"], fields[b"c"]) == (b"rsa-sha256", b"relaxed/relaxed")
    assert {name.strip() for name in fields[b"h"].decode().split(":")} == MUST_BE_SIGNED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: Hello", b"Subject: Hallo"),
        (b"how are you", b"who are you"),
        (b"From: bo@", b"From: al@"),
        (b"From: bo@", b"From: eve@evil.example\r\nFrom: bo@"),
        (b"Subject:", b"List-Unsubscribe: <https://evil.example>\r\nSubject:"),
    ],
)
def test_a_changed_mail_is_not_valid(old, new):
    mail = signed()
    assert old in mail

    assert not is_valid(mail.replace(old, new, 1))


def test_without_a_signer_nothing_is_signed():
    assert b"DKIM-Signature" not in signed(signer=None)


def test_lines_of_the_signature_are_short():
    lines = signed().split(b"\r\n")

    assert max(map(len, lines)) <= 78


def test_the_key_shows_in_no_text_of_a_signer():
    assert a_key() not in repr(Signer("acme.example", "pipelime", a_key()))


@settings(deadline=None, max_examples=40)
@given(st.text(st.sampled_from(" \t\n.aé漢=-"), max_size=200))
def test_any_text_stays_valid(text):
    assert is_valid(signed(text=text))
