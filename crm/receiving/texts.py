"""Texts of mails as the databases can hold them: decoded somehow, never raising."""

from __future__ import annotations

import codecs
import re
from email.message import Message
from html import unescape

import inscriptis
import structlog

log = structlog.get_logger(__name__)

LONGEST_HTML = 1_000_000  # characters; what comes after them is seldom said by a person
# Codecs that are no charset of any mail, or take the square of the text's length.
NOT_CHARSETS = {"punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape"}
TAG = re.compile(r"<[^<>]{0,2000}>")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def text_in(part: Message) -> str:
    return readable(as_text(bytes_in(part), part.get_content_charset()))


def bytes_in(part: Message) -> bytes:
    """What a part holds; what its encoding's decoder stumbles over is taken as it stands."""
    try:
        content = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001  it asks codecs that the mail names, and they raise what they like
        content = part.get_payload()
    return content if isinstance(content, bytes) else str(content or "").encode("utf-8", "surrogateescape")


def as_text(content: bytes, charset: str | None) -> str:
    """In the charset that the mail names; without one UTF-8, else what most old programs meant by none."""
    try:
        if charset and codecs.lookup(charset).name not in NOT_CHARSETS:
            return content.decode(charset, "replace")
    except (LookupError, ValueError):  # no such charset
        pass
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("windows-1252", "replace")


def readable(text: str) -> str:
    """Without control characters and halves of characters, which no database takes; lines end in one way."""
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def text_from_html(html: str) -> str:
    """As a browser lays it out, tables too; a page nested deeper than that goes is stripped of its tags."""
    html = html[:LONGEST_HTML]
    try:
        text = readable(inscriptis.get_text(html)).strip()
    except Exception as error:  # noqa: BLE001  parsers raise what they like about hostile pages
        log.info("mail.html_not_rendered", error=f"{type(error).__name__}: {error}")
        text = ""
    return text or readable(unescape(TAG.sub(" ", html))).strip()
