"""A mail taken apart: any bytes become a letter, with notes on what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.feedparser import BytesFeedParser
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32

import structlog

from crm.contents import clean_name
from crm.receiving import headers
from crm.receiving.texts import bytes_in, readable, text_from_html, text_in

log = structlog.get_logger(__name__)

MOST_PARTS = 100
MOST_LINES = 600_000  # of 77 bytes, a mail of the largest size has fewer
MOST_HEADERS = 1000  # of one part
LONGEST_HEADER = 20_000  # characters; reading the parameters of one takes the square of it
LONGEST_HEAD = 256 * 1024  # bytes of headers that the door looks at
END_OF_HEAD = re.compile(rb"\r?\n\r?\n|\r\r")
LONGEST_TEXT = 100_000
NAMELESS = "attachment"


class TooManyParts(Exception):
    """The mail has more parts than any that a person wrote."""


@dataclass(frozen=True)
class Enclosed:
    """A file that came with a mail."""

    name: str
    content: bytes


@dataclass
class Letter:
    """What a mail says. `automatic` is why no person is behind it, or blank."""

    subject: str = ""
    sender: str = ""
    sender_name: str = ""
    reply_to: list[str] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    cc: list[str] = field(default_factory=list)
    message_id: str = ""
    automatic: str = ""
    text: str = ""
    enclosed: list[Enclosed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(raw: bytes) -> Letter:
    """Never raises: a mail that cannot be taken apart is read as its headers and one long text."""
    try:
        return whole(raw)
    except TooManyParts as error:
        return beginning_of(raw, str(error))
    except Exception as error:  # noqa: BLE001  a parser's surprise about hostile bytes loses no mail
        log.warning("mail.not_taken_apart", error=f"{type(error).__name__}: {error}")
        return beginning_of(raw, "Its parts could not be told apart")


def whole(raw: bytes) -> Letter:
    message = parse(raw)
    letter = heading(message)
    plain, html = [], []
    for part in leaves(message):
        kind, name = kind_of(part), file_name(part)
        if kind not in ("text/plain", "text/html") or name or part.get_content_disposition() == "attachment":
            enclose(letter, part, name)
        else:
            (plain if kind == "text/plain" else html).append(text_in(part))
    text = "\n\n".join(words for words in plain if words.strip())
    letter.text = shortened(text or "\n\n".join(map(text_from_html, html)), letter)
    return letter


def head(raw: bytes) -> Letter:
    """The headers only, for the door."""
    return heading(head_of(raw))


def beginning_of(raw: bytes, note: str) -> Letter:
    message = head_of(raw)
    letter = heading(message)
    end = END_OF_HEAD.search(raw)
    body = raw[end.end() :][: 4 * LONGEST_TEXT] if end else b""
    letter.notes.append(f"{note}: the text is what stands below the headers")
    letter.text = shortened(readable(body.decode(errors="replace")), letter)
    return letter


def parse(raw: bytes) -> Message:
    """By the old policy, whose headers are plain texts: the new one's own parser fails on hostile ones."""
    if raw.count(b"\n") > MOST_LINES or raw.count(b"\r") > MOST_LINES:
        raise TooManyParts(f"It has over {MOST_LINES:,} lines")
    made = 0

    def part(policy=compat32) -> Part:
        nonlocal made
        made += 1
        if made > MOST_PARTS:
            raise TooManyParts(f"It has over {MOST_PARTS} parts")
        return Part(policy)

    parser = BytesFeedParser(part, policy=compat32)
    parser.feed(raw)
    return parser.close()


class Part(Message):
    """The parser hands every header to `set_raw`: only so many are kept, each only so long, and as text."""

    def set_raw(self, name: str, value: str) -> None:
        if len(self.keys()) < MOST_HEADERS:
            super().set_raw(name, headers.unescaped(value[:LONGEST_HEADER]).replace("\0", ""))


def head_of(raw: bytes) -> Message:
    return BytesHeaderParser(Part, policy=compat32).parsebytes(raw[:LONGEST_HEAD])


def heading(message: Message) -> Letter:
    sender_name, sender = headers.sender(message)
    return Letter(
        subject=headers.text(message, "Subject"),
        sender=sender,
        sender_name=sender_name,
        reply_to=headers.addresses(message, "Reply-To"),
        to=headers.addresses(message, "To"),
        cc=headers.addresses(message, "Cc"),
        message_id=headers.text(message, "Message-ID")[:320],
        automatic=headers.automatic(message),
    )


def leaves(message: Message) -> Iterator[Message]:
    """Parts that hold something themselves, in their order; a mail within the mail is one of them."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        inner = part.get_payload()
        if isinstance(inner, list) and part.get_content_maintype() == "multipart":
            waiting += reversed(inner)
        else:
            yield part


def kind_of(part: Message) -> str:
    """A part that says to have parts, and has none, is text."""
    return "text/plain" if part.get_content_maintype() == "multipart" else part.get_content_type()


def file_name(part: Message) -> str:
    name = part.get_filename()
    return clean_name(headers.decoded(name), NAMELESS) if name else ""


def enclose(letter: Letter, part: Message, name: str) -> None:
    try:
        content = content_of(part)
    except Exception as error:  # noqa: BLE001  as above: one bad part costs no more than itself
        letter.notes.append(f"{name or NAMELESS} could not be read ({type(error).__name__})")
        return
    if content:
        letter.enclosed.append(Enclosed(name or default_name(part), content))


def content_of(part: Message) -> bytes:
    inner = part.get_payload()
    if isinstance(inner, list):  # a mail within the mail, or a report
        return b"\n".join(message.as_bytes() for message in inner)
    return bytes_in(part)


def default_name(part: Message) -> str:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        inner = part.get_payload()
        subject = headers.text(inner[0], "Subject") if isinstance(inner, list) and inner else ""
        return clean_name(f"{subject[:200].replace('/', ' ') or 'message'}.eml")
    ending = {"text/html": ".html", "text/plain": ".txt", "text/calendar": ".ics"}.get(kind)
    image = kind.partition("/")[2] if part.get_content_maintype() == "image" else ""
    return NAMELESS + (ending or (f".{image[:10]}" if image.isalnum() else ""))


def shortened(text: str, letter: Letter) -> str:
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        letter.notes.append(f"The text was cut after {LONGEST_TEXT:,} of {len(text):,} characters")
    return text[:LONGEST_TEXT]
