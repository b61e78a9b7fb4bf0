"""Any bytes become a letter."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.receiving.letters import LONGEST_TEXT, MOST_PARTS, Enclosed, Letter, head, read
from tests.crm.receiving.mails import HEAD, NASTY, PNG, mail, nested, parts, raw, with_head

CONTROLS = {chr(code) for code in range(32)} - {"\t", "\n"} | {"\x7f"}


def texts_of(letter: Letter) -> list[str]:
    return [
        letter.subject, letter.sender, letter.sender_name, letter.message_id, letter.text,
        *letter.to, *letter.cc, *letter.notes, *(enclosed.name for enclosed in letter.enclosed),
    ]  # fmt: skip


def check(letter: Letter) -> None:
    """Whatever came in, the databases can hold it, and no header is more than a line."""
    for text in texts_of(letter):
        text.encode()
        assert not CONTROLS & set(text)
    for line in (letter.subject, letter.sender, letter.sender_name, letter.message_id):
        assert "\n" not in line
    assert len(letter.text) <= LONGEST_TEXT
    assert len(letter.enclosed) <= MOST_PARTS


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_mail_is_read_all_the_same(name):
    check(read(NASTY[name]))


@pytest.mark.parametrize("name", [name for name, content in NASTY.items() if content.endswith(b"text")])
def test_a_nasty_mail_s_text_is_found(name):
    assert "text" in read(NASTY[name]).text


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_letter(content):
    check(read(content))


PIECES = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b"\0", b"\xff", b"\xed\xa0\x80", b"=\r\n", b"--cut", b"--cut--", b"--",
        b"Content-Type: ", b"Content-Transfer-Encoding: ", b"Content-Disposition: attachment; filename=",
        b"multipart/mixed", b"multipart/digest", b"message/rfc822", b"message/delivery-status", b"text/html",
        b"; boundary=cut", b"; charset=", b"utf-7", b"utf-16", b"idna", b"; name*0*=x''%", b"=?utf-8?b?",
        b"Subject: ", b"From: ", b"To: ", b"<a@b.c>", b'"', b"(", b":", b"\\", b"base64", b"quoted-printable",
        b"?=", b"a" * 100, b"x-uuencode", b"begin 666 a", b"<p>", b"</table>", b"&#55296;",
    ]
)  # fmt: skip


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, max_size=60))
def test_any_pieces_of_mails_are_a_letter(pieces):
    check(read(b"".join(pieces)))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(NASTY)), st.integers(0, 3_000), st.binary(max_size=10))
def test_a_mail_that_is_cut_or_damaged_is_a_letter(name, at, noise):
    content = NASTY[name][:3_000]

    check(read(content[:at] + noise + content[at + len(noise) :]))


def test_an_ordinary_mail_says_who_what_and_to_whom():
    letter = read(
        mail("Acme <in@example.com>", Cc="bo@example.com, Cy <cy@example.com>", Message_ID="<7@example.org>")
    )

    assert letter == Letter(
        subject="Loretta wants an offer",
        sender="lea@example.org",
        sender_name="Lea Long",
        to=["in@example.com"],
        cc=["bo@example.com", "cy@example.com"],
        message_id="<7@example.org>",
        text="Please call me.",
    )


def test_plain_text_goes_before_html():
    assert read(mail("a@example.com", text="Plain", html="<p>Fine</p>")).text == "Plain"


def test_html_alone_is_read_as_it_would_look():
    content = with_head(
        b"Content-Type: text/html; charset=utf-8", b"",
        "<style>p{}</style><p>Grüße<br>aus Köln</p><table><tr><td>Tel</td><td>1</td></tr></table>".encode(),
    )  # fmt: skip

    assert [line.split() for line in read(content).text.splitlines() if line] == [
        ["Grüße"],
        ["aus", "Köln"],
        ["Tel", "1"],
    ]


def test_blank_plain_text_gives_way_to_html():
    assert read(mail("a@example.com", text=" \n", html="<p>Fine</p>")).text == "Fine"


@pytest.mark.parametrize(
    ("head_line", "body"),
    [
        (b"Content-Type: text/plain; charset=iso-8859-1", "Grüße".encode("latin-1")),
        (b"Content-Type: text/plain; charset=utf-8", "Grüße".encode()),
        (b"Content-Type: text/plain", "Grüße".encode()),
        (b"Content-Type: text/plain", "Grüße".encode("windows-1252")),
        (b"Content-Type: text/plain; charset=unknown-8bit", "Grüße".encode()),
    ],
)
def test_letters_beyond_ascii_are_read(head_line, body):
    assert read(with_head(head_line, b"", body)).text == "Grüße"


def test_subjects_and_names_beyond_ascii_are_read_encoded_and_bare():
    encoded = read(mail("a@example.com", subject="Grüße aus 東京", sender="Léa <lea@example.org>"))
    bare = read(raw("From: Léa <lea@example.org>".encode(), "Subject: Grüße aus 東京".encode(), b"", b"x"))

    assert (encoded.subject, encoded.sender_name) == ("Grüße aus 東京", "Léa")
    assert (bare.subject, bare.sender_name) == ("Grüße aus 東京", "Léa")


def test_a_header_hidden_in_the_subject_stays_part_of_it():
    assert read(NASTY["a header in the subject"]).subject == "Nasty Bcc: x@example.com"


def test_files_and_pictures_within_the_text_are_enclosed():
    picture = b"Content-Type: image/png\r\nContent-ID: <1>\r\nContent-Disposition: inline\r\n\r\n" + PNG
    letter = read(parts(b"\r\nSee below", picture, b'Content-Type: text/plain; name="notes.txt"\r\n\r\nMine'))

    assert letter.text == "See below"
    assert [enclosed.name for enclosed in letter.enclosed] == ["attachment.png", "notes.txt"]
    assert letter.enclosed[1] == Enclosed("notes.txt", b"Mine")


def test_a_forwarded_mail_is_enclosed_under_its_subject():
    letter = read(NASTY["a mail within a mail"])

    [enclosed] = letter.enclosed
    assert letter.text == "text"
    assert enclosed.name == "Nasty.eml"
    assert enclosed.content.endswith(b"\n\ninner")


def test_names_of_files_lose_their_paths():
    assert read(NASTY["an attachment from elsewhere"]).enclosed == [Enclosed("passwd", b"root")]


def test_what_cannot_be_read_in_full_says_so():
    assert read(nested(1_000)).notes == ["It has over 100 parts: the text is what stands below the headers"]
    assert read(with_head(b"", b"x" * 100_001)).notes == [
        "The text was cut after 100,000 of 100,001 characters"
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"Auto-Submitted: auto-replied", "It was sent by a machine (Auto-Submitted: auto-replied)"),
        (b"Auto-Submitted: auto-generated; x", "It was sent by a machine (Auto-Submitted: auto-generated)"),
        (b"Auto-Submitted: no", ""),
        (b"Precedence: bulk", "It was sent to many (Precedence: bulk)"),
        (b"Precedence: List", "It was sent to many (Precedence: list)"),
        (b"Precedence: first-class", ""),
        (b"Return-Path: <>", "It is a report of a mail server (its return path is empty)"),
        (b"Return-Path: <lea@example.org>", ""),
    ],
)
def test_mail_of_machines_is_told_from_mail_of_people(line, reason):
    assert head(HEAD + b"\r\n" + line + b"\r\n\r\ntext").automatic == reason
