import email
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outreach.composing import HeaderUnsafe, Letter, addr_spec, compose, message_id

WHEN = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ALWAYS = ["From", "To", "Subject", "Message-ID", "Date", "MIME-Version", "Content-Type"]


def letter(**changes) -> Letter:
    return Letter(
        **{
            "message_id": "<1@acme.example>",
            "from_address": "bo@acme.example",
            "to_address": "ana@b.example",
            "subject": "Hello",
            "date": WHEN,
            "text": "Hi Ana,\nhow are you?",
            **changes,
        }
    )


def parsed(raw: bytes):
    return email.message_from_bytes(raw, policy=policy.SMTP)


def bodies(raw: bytes) -> list[str]:
    return [part.get_content().replace("\r\n", "\n") for part in parsed(raw).iter_parts()]


def display_name(raw: bytes, field: str) -> str:
    """Read as RFC 2047 says; the structured parser of Python 3.11 keeps the blank between encoded words."""
    phrase, _ = parseaddr(email.message_from_bytes(raw, policy=policy.compat32)[field])
    return str(make_header(decode_header(phrase)))


def test_a_letter_has_exactly_the_headers_meant():
    message = parsed(compose(letter(from_name="Bo", to_name="Ana Lima")))

    assert message.items() == [
        ("From", "Bo <bo@acme.example>"),
        ("To", "Ana Lima <ana@b.example>"),
        ("Subject", "Hello"),
        ("Message-ID", "<1@acme.example>"),
        ("Date", "Sat, 21 Nov 2026 09:30:00 +0000"),
        ("MIME-Version", "1.0"),
        ("Content-Type", 'multipart/alternative; boundary="=_pipelime"'),
    ]


def test_text_comes_first_and_html_is_made_from_it():
    raw = compose(letter())

    assert [part.get_content_type() for part in parsed(raw).iter_parts()] == ["text/plain", "text/html"]
    assert bodies(raw) == [
        "Hi Ana,\nhow are you?",
        "<html><body>\n<p>Hi Ana,<br>\nhow are you?</p>\n</body></html>\n",
    ]


def test_text_is_made_from_html_alone():
    assert bodies(compose(letter(text=None, html="<p>Hi <b>Ana</b></p>"))) == [
        "Hi Ana\n",
        "<p>Hi <b>Ana</b></p>",
    ]


def test_a_letter_without_a_body_is_refused():
    with pytest.raises(ValueError, match="needs a text or an html body"):
        compose(letter(text=None))


def test_a_follow_up_continues_the_thread():
    references = [f"<{n}@acme.example>" for n in range(1, 6)]

    message = parsed(
        compose(letter(in_reply_to="<5@acme.example>", references=references, reply_to="re@acme.example"))
    )

    assert message["In-Reply-To"] == "<5@acme.example>"
    assert message["References"].split() == references
    assert message["Reply-To"] == "re@acme.example"


def test_one_click_unsubscribe_is_offered_with_an_address_to_post_to():
    message = parsed(
        compose(letter(unsubscribe_url="https://p.example/u/1?k=a", unsubscribe_mailto="u@acme.example"))
    )

    assert (
        message["List-Unsubscribe"]
        == "<https://p.example/u/1?k=a>, <mailto:u@acme.example?subject=unsubscribe>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_mail_to_leave_by_carries_the_token_in_its_subject():
    message = parsed(compose(letter(unsubscribe_mailto="u@acme.example", unsubscribe_token="AZ_-9")))

    assert message["List-Unsubscribe"] == "<mailto:u@acme.example?subject=unsubscribe%20AZ_-9>"


def test_our_own_reference_survives_a_relay_that_renames_the_mail():
    assert parsed(compose(letter(reference="0190ab")))["X-Message-Ref"] == "0190ab"


@pytest.mark.parametrize("field", ["reference", "unsubscribe_token"])
@pytest.mark.parametrize("value", ["a b", "a\r\nBcc: eve@evil.example", "é", "a>"])
def test_a_reference_that_is_no_plain_word_is_refused(field, value):
    with pytest.raises(HeaderUnsafe):
        compose(letter(unsubscribe_mailto="u@acme.example", **{field: value}))


def test_unsubscribing_by_mail_alone_is_not_called_one_click():
    message = parsed(compose(letter(unsubscribe_mailto="u@acme.example")))

    assert message["List-Unsubscribe"] == "<mailto:u@acme.example?subject=unsubscribe>"
    assert "List-Unsubscribe-Post" not in message


def test_a_name_and_a_domain_beyond_ascii_are_encoded():
    raw = compose(letter(from_name="Zoë Müller", from_address="zoe@bücher.example", to_name="李雷"))

    message = parsed(raw)

    assert raw.isascii()
    assert message["From"].addresses[0].display_name == "Zoë Müller"
    assert message["From"].addresses[0].addr_spec == "zoe@xn--bcher-kva.example"
    assert message["To"].addresses[0].display_name == "李雷"


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "x" * 66,
        "word " * 40 + "end",
        "x" * 300,
        "  led and trailed  ",
        "two  blanks",
        "=?utf-8?q?not_encoded?=",
        "Ünïcödé " * 30 + "end",
        "日本語の件名" * 30,
        "🙂" * 60,
    ],
)
def test_a_subject_arrives_as_written_in_short_lines(subject):
    raw = compose(letter(subject=subject))

    assert parsed(raw)["Subject"] == subject
    assert max(map(len, raw.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "control", ["\r", "\n", "\r\nBcc: eve@evil.example", "\x00", "\x1b", "\x7f", "\x85", "\u2028"]
)
@pytest.mark.parametrize("field", ["from_name", "to_name", "subject"])
def test_a_control_character_in_a_header_is_refused(field, control):
    with pytest.raises(HeaderUnsafe):
        compose(letter(**{field: f"Ana{control}x"}))


@pytest.mark.parametrize(
    "address",
    [
        "ana",
        "@b.example",
        "ana@",
        "a@b.example,c@d.example",
        "a@b.example;c@d.example",
        "a b@c.example",
        "Ana <a@b.example>",
        "<a@b.example>",
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example\n",
        "a@b\x00.example",
        "a@b..example",
        "a@-b.example",
        ".a@b.example",
        "a..b@c.example",
        '"a\r\n"@b.example',
        "a@[127.0.0.1]",
        "a@b@c.example",
        "josé@b.example",
        "x" * 65 + "@b.example",
        "a@" + "b." * 130 + "example",
        "a@b.example>",
        "a@\u2028b.example",
    ],
)
@pytest.mark.parametrize("field", ["from_address", "to_address", "reply_to", "unsubscribe_mailto"])
def test_anything_but_one_address_is_refused(field, address):
    with pytest.raises(HeaderUnsafe) as caught:
        compose(letter(**{field: address}))

    assert caught.value.value == address


@pytest.mark.parametrize(
    "address", ["a@b.example", "a.b+c=d'e@sub.b-c.example", "a@localhost", "A@B.Example"]
)
def test_a_plain_address_passes_unchanged(address):
    assert addr_spec(address) == address


@pytest.mark.parametrize(
    "value", ["", "1@acme.example", "<1@acme.example>\r\nBcc: x@y.example", "<a b>", "<é@x>", "<a><b>"]
)
def test_a_malformed_message_id_is_refused(value):
    with pytest.raises(HeaderUnsafe):
        compose(letter(message_id=value))
    with pytest.raises(HeaderUnsafe):
        compose(letter(references=["<1@acme.example>", value]))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://p.example/>,<mailto:x@y",
        "https://p.example/\r\nX: y",
        "ftp://x",
        "https://é.example",
    ],
)
def test_an_unsubscribe_address_that_is_no_plain_url_is_refused(url):
    with pytest.raises(HeaderUnsafe):
        compose(letter(unsubscribe_url=url))


def test_a_date_without_a_zone_is_refused():
    with pytest.raises(HeaderUnsafe, match="has no time zone"):
        compose(letter(date=datetime(2026, 11, 21)))  # noqa: DTZ001 - the mistake under test


def test_a_message_id_is_made_of_uid_and_domain():
    assert message_id("0197-ab", "bücher.example") == "<0197-ab@xn--bcher-kva.example>"


def test_a_message_id_with_a_line_break_is_refused():
    with pytest.raises(HeaderUnsafe):
        message_id("1>\r\nBcc: x@y.example", "acme.example")


@pytest.mark.parametrize(
    "body", ["Łódź żółć " * 200, "日本" * 500, "x" * 5_000, ".\n..\nFrom me\n", "a \nb\t\n", "=3D=\n"]
)
def test_a_body_is_carried_in_short_ascii_lines_and_read_as_written(body):
    raw = compose(letter(text=body))

    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 76
    assert b"\r\n.\r\n" not in raw
    assert bodies(raw)[0] == body


printable = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)
hostile = st.text(st.sampled_from('\r\n\t\x00 <>@,;:"\\()[]=?_.abé漢-'), max_size=40)
body_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=400)


@settings(deadline=None, max_examples=300)
@given(printable, printable, printable, body_text)
@example('a"b\\c', "Lima, Ana (x) <y@z.example>", "=?utf-8?b?aGk=?=", "--=_pipelime--\n.\n")
def test_whatever_is_written_is_what_is_read(from_name, to_name, subject, text):
    raw = compose(letter(from_name=from_name, to_name=to_name, subject=subject, text=text))

    message = parsed(raw)
    assert message.keys() == ALWAYS
    assert [one.addr_spec for one in message["From"].addresses] == ["bo@acme.example"]
    assert [one.addr_spec for one in message["To"].addresses] == ["ana@b.example"]
    assert display_name(raw, "To") == " ".join(to_name.split())
    assert display_name(raw, "From") == " ".join(from_name.split())
    assert message["Subject"] == subject
    assert next(message.iter_parts()).get_payload(decode=True).decode() == text.replace("\n", "\r\n")


@settings(deadline=None, max_examples=500)
@given(
    st.sampled_from(
        ["from_name", "to_name", "subject", "to_address", "message_id", "in_reply_to", "unsubscribe_url"]
    ),
    hostile,
)
def test_no_value_can_add_a_header_or_a_recipient(field, value):
    try:
        raw = compose(letter(**{field: value}))
    except HeaderUnsafe:
        return

    message = parsed(raw)
    assert [key for key in message.keys() if key in ALWAYS] == ALWAYS  # noqa: SIM118 - keys repeat
    assert set(message.keys()) - set(ALWAYS) <= {"In-Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post"}
    assert len(message["To"].addresses) == 1
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
