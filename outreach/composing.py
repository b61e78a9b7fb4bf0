"""A letter as 7-bit bytes: a fixed set of headers that nothing can inject into, a text and an HTML part."""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

import idna

from outreach.bodies import LINE_END, html_from_text, text_from_html
from outreach.deliverability.signing import Signer

LONGEST_LINE = 76
LONGEST_VALUE = 900
BOUNDARY = "=_pipelime"  # "=_" occurs in neither quoted-printable nor base64, so no body can contain it.

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE
)
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_URL = re.compile(r"https?://[!#-;=?-~]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
_SINGLE_SPACED = re.compile(r"[!-~]+(?: [!-~]+)*")
_WORD_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")
_Q_BYTES = [chr(b) if b in _WORD_SAFE else "_" if b == 0x20 else f"={b:02X}" for b in range(256)]


class HeaderUnsafe(ValueError):
    """A value cannot stand in a header as it is."""

    def __init__(self, field: str, value: object, problem: str):
        super().__init__(f"{field}: {value!r} {problem}")
        self.field = field
        self.value = value


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail to one person. Give text, html or both: the missing one is made from the other.

    `reference` names it to us where a relay has put a Message-ID of its own; `unsubscribe_token` does so in
    the subject of whoever leaves by mail.
    """

    message_id: str
    from_address: str
    to_address: str
    subject: str
    date: datetime
    from_name: str = ""
    to_name: str = ""
    text: str | None = None
    html: str | None = None
    reply_to: str | None = None
    in_reply_to: str | None = None
    references: Sequence[str] = ()
    unsubscribe_url: str | None = None
    unsubscribe_mailto: str | None = None
    unsubscribe_token: str = ""
    reference: str = ""
    signer: Signer | None = None


def compose(letter: Letter) -> bytes:
    """The whole mail, signed if somebody is to sign it."""
    mail = written(letter)
    return mail if letter.signer is None else letter.signer.header(mail, letter.date) + mail


def written(letter: Letter) -> bytes:
    text, markup = letter.text, letter.html
    if text is None and markup is None:
        raise ValueError("a letter needs a text or an html body; both are missing")
    text = text_from_html(markup or "") if text is None else text
    markup = html_from_text(text) if markup is None else markup
    parts = [
        *_headers(letter),
        f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"',
        "",
        _part("plain", text),
        _part("html", markup),
        f"--{BOUNDARY}--\r\n",
    ]
    return "\r\n".join(parts).encode("ascii")


def message_id(uid: object, domain: str) -> str:
    return _identifier("Message-ID", f"<{uid}@{_ascii_domain(domain, 'Message-ID', domain)}>")


@lru_cache(maxsize=4_096)
def addr_spec(address: str, field: str = "address") -> str:
    """Exactly one address, as it may be written in an envelope or a header: ASCII, its domain in IDNA."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise HeaderUnsafe(field, address, "is not an address such as name@example.com")
    if not local.isascii():
        raise HeaderUnsafe(field, address, "has letters beyond ASCII before the @, which few servers accept")
    if len(local) > 64 or not _LOCAL_PART.fullmatch(local):
        raise HeaderUnsafe(
            field, address, "may have before the @ up to 64 letters, digits and signs, no blanks"
        )
    return f"{local}@{_ascii_domain(domain, field, address)}"


@lru_cache(maxsize=4_096)
def _ascii_domain(domain: str, field: str, value: str) -> str:
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise HeaderUnsafe(
                field, value, f"has a domain that cannot be written in ASCII ({error})"
            ) from None
    if len(domain) > 253 or not _DOMAIN.fullmatch(domain):
        raise HeaderUnsafe(field, value, "has no valid domain; use one such as example.com")
    return domain


def _headers(letter: Letter) -> list[str]:
    headers = [
        _sender(letter.from_name, letter.from_address),
        _mailbox("To", letter.to_name, letter.to_address),
        "Subject: " + _unstructured("Subject", letter.subject),
        f"Message-ID: {_identifier('Message-ID', letter.message_id)}",
        f"Date: {_date(letter.date)}",
        "MIME-Version: 1.0",
    ]
    if letter.reply_to:
        headers.append(f"Reply-To: {addr_spec(letter.reply_to, 'Reply-To')}")
    if letter.in_reply_to:
        headers.append(f"In-Reply-To: {_identifier('In-Reply-To', letter.in_reply_to)}")
    if letter.references:
        headers.append(
            "References: " + "\r\n ".join(_identifier("References", one) for one in letter.references)
        )
    headers.extend(_list_unsubscribe(letter))
    if letter.reference:
        headers.append(f"X-Message-Ref: {_token('X-Message-Ref', letter.reference)}")
    return headers


@lru_cache(maxsize=1_024)
def _sender(name: str, address: str) -> str:
    return _mailbox("From", name, address)


def _mailbox(field: str, name: str, address: str) -> str:
    address = addr_spec(address, field)
    _refuse_control(field, name)
    name = " ".join(name.split())
    if not name:
        return f"{field}: {address}"
    if name.isascii() and len(name) <= LONGEST_LINE - 20 and "=?" not in name:
        phrase = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        phrase = _encoded_words(name)
    gap = "\r\n " if len(field) + len(phrase) + len(address) > LONGEST_LINE - 6 else " "
    return f"{field}: {phrase}{gap}<{address}>"


def _unstructured(field: str, value: str) -> str:
    _refuse_control(field, value)
    if not value:
        return value
    if "=?" in value or not _SINGLE_SPACED.fullmatch(value):
        return _encoded_words(value)
    if len(field) + 2 + len(value) <= LONGEST_LINE:
        return value
    return _folded(value, len(field) + 1) or _encoded_words(value)


def _folded(value: str, column: int) -> str | None:
    """Breaks between words, so that unfolding gives the same text; None when a word outgrows a line."""
    pieces: list[str] = []
    for word in value.split(" "):
        if len(word) > LONGEST_LINE - 10:
            return None
        if column + 1 + len(word) > LONGEST_LINE:
            pieces.append("\r\n " + word)
            column = 1 + len(word)
        else:
            pieces.append(" " + word)
            column += 1 + len(word)
    return "".join(pieces)[1:]


def _encoded_words(value: str) -> str:
    """RFC 2047: each word at most 75 long and whole in its characters, so that any reader can join them."""
    quoted = ["".join([_Q_BYTES[byte] for byte in character.encode()]) for character in value]
    if sum(map(len, quoted)) <= len(value.encode()) * 4 / 3:
        return "\r\n ".join(f"=?utf-8?q?{word}?=" for word in _packed(quoted, 52))
    words = (word.encode() for word in _packed(list(value), 39))
    return "\r\n ".join(f"=?utf-8?b?{binascii.b2a_base64(word, newline=False).decode()}?=" for word in words)


def _packed(pieces: Sequence[str], size: int) -> list[str]:
    words, word, used = [], "", 0
    for piece in pieces:
        length = len(piece.encode())
        if word and used + length > size:
            words.append(word)
            word, used = "", 0
        word += piece
        used += length
    return [*words, word]


def _list_unsubscribe(letter: Letter) -> list[str]:
    """The web address first: large providers look no further."""
    ways, url, mailto = [], letter.unsubscribe_url, letter.unsubscribe_mailto
    if url:
        if len(url) > LONGEST_VALUE or not _URL.fullmatch(url):
            raise HeaderUnsafe("List-Unsubscribe", url, "is not an http(s) URL in plain ASCII")
        ways.append(f"<{url}>")
    if mailto:
        token = letter.unsubscribe_token
        words = f"unsubscribe%20{_token('List-Unsubscribe', token)}" if token else "unsubscribe"
        ways.append(f"<mailto:{addr_spec(mailto, 'List-Unsubscribe')}?subject={words}>")
    if not ways:
        return []
    one_click = ["List-Unsubscribe-Post: List-Unsubscribe=One-Click"] if url else []
    return ["List-Unsubscribe: " + ",\r\n ".join(ways), *one_click]


def _token(field: str, value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise HeaderUnsafe(field, value, "is not made of letters, digits, - and _ alone")
    return value


def _identifier(field: str, value: str) -> str:
    if not _MESSAGE_ID.fullmatch(value):
        raise HeaderUnsafe(field, value, "is not a message id such as <name@example.com>")
    return value


def _date(date: datetime) -> str:
    if date.tzinfo is None:
        raise HeaderUnsafe("Date", date, "has no time zone")
    return format_datetime(date)


def _refuse_control(field: str, value: str) -> None:
    if found := _CONTROL.search(value):
        raise HeaderUnsafe(field, value, f"contains {found[0]!r}; a header is one line of printable text")


def _part(subtype: str, body: str) -> str:
    encoding, lines = _encoded_body(body)
    return (
        f"--{BOUNDARY}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n{lines}"
    )


def _encoded_body(body: str) -> tuple[str, str]:
    """Quoted-printable stays readable; base64 is shorter as soon as one byte in six is not ASCII."""
    if "\r" in body or "\n" in body:
        body = LINE_END.sub("\r\n", body)
    raw = body.encode("utf-8", "replace")
    if (len(raw) - len(body)) * 6 > len(raw):
        return "base64", _base64_lines(raw)
    # The line end added here tells the encoder to break long lines with CRLF, as the others are.
    lines = binascii.b2a_qp(raw + b"\r\n").removesuffix(b"\r\n")
    return "quoted-printable", lines.decode("ascii")


def _base64_lines(raw: bytes) -> str:
    lines = (binascii.b2a_base64(raw[start : start + 57], newline=False) for start in range(0, len(raw), 57))
    return b"\r\n".join(lines).decode("ascii")
