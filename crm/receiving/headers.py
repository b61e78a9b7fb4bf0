"""Headers of mails that anybody may have written: decoded, one line each, at most so long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

from crm.receiving.texts import as_text, readable

LONGEST = 4_000  # characters of one text; decoding takes the square of it
LONGEST_LIST = 20_000  # characters of one list of addresses
MOST = 20  # headers of one name
ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f<>()\[\],;:\"\\@]{1,64}@[^\s\x00-\x1f\x7f<>()\[\],;:\"\\@]{1,253}")
# Where mail servers leave the address that a mail really came to, before what its writer wrote.
ENVELOPE = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Forwarded-To")
WRITTEN = ("To", "Cc", "Bcc", "Resent-To", "Resent-Cc")
FOR = re.compile(r"\bfor\s+<([^<>\s]{1,320})>")
BULK = ("bulk", "list", "junk", "auto_reply")


def values(message: Message, name: str) -> list[str]:
    """The raw headers of this name, whatever bytes they hold."""
    return [str(value)[:LONGEST_LIST] for value in (message.get_all(name) or [])[:MOST]]


def text(message: Message, name: str) -> str:
    """The first header of this name as one line."""
    return next(map(decoded, values(message, name)), "")


def decoded(value: str) -> str:
    """Encoded words in letters; what only looks like one stays as it is."""
    value = " ".join(str(value)[:LONGEST].split())
    try:
        pieces = decode_header(value)
    except Exception:  # noqa: BLE001  it raises whatever its codecs raise
        pieces = [(value, None)]
    letters = "".join(
        as_text(piece, charset) if isinstance(piece, bytes) else piece for piece, charset in pieces
    )
    return " ".join(readable(letters).split())


def unescaped(value: str) -> str:
    """The parser keeps bytes that are no ASCII as halves of characters: most of them are UTF-8."""
    return value if value.isascii() else as_text(value.encode("utf-8", "surrogateescape"), None)


def pairs(message: Message, name: str) -> list[tuple[str, str]]:
    """(name, address) of everybody in a header, bad ones left out."""
    written = values(message, name)
    try:
        found = getaddresses(written)
    except Exception:  # noqa: BLE001  comments within comments end its recursion
        found = []
    known = [(decoded(who), address) for who, address in found if is_address(address)]
    return known or [("", address) for value in written for address in ADDRESS.findall(value)]


def is_address(text: str) -> bool:
    return ADDRESS.fullmatch(text) is not None and len(text) <= 254


def addresses(message: Message, name: str) -> list[str]:
    return each_once(address for _, address in pairs(message, name))


def sender(message: Message) -> tuple[str, str]:
    """(name, address) of whoever says to have written it."""
    for name in ("From", "Sender", "Return-Path"):
        if found := pairs(message, name):
            return found[0]
    return "", ""


def recipients(message: Message) -> list[str]:
    """Every address that the mail may have come to, the surest first."""
    servers = [found for value in values(message, "Received") for found in FOR.findall(value)]
    envelope = [address for name in ENVELOPE for address in addresses(message, name)]
    written = [address for name in WRITTEN for address in addresses(message, name)]
    return each_once([*envelope, *written, *servers])


def automatic(message: Message) -> str:
    """Why no person wrote this, so that no answer of a machine becomes a lead; "" when one did."""
    submitted = text(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no"):
        return f"It was sent by a machine (Auto-Submitted: {submitted[:50]})"
    precedence = text(message, "Precedence").lower()
    if precedence in BULK:
        return f"It was sent to many (Precedence: {precedence})"
    if any(value.strip() == "<>" for value in values(message, "Return-Path")):
        return "It is a report of a mail server (its return path is empty)"
    return ""


def each_once(found: Iterable[str]) -> list[str]:
    return list({address.lower(): address for address in found}.values())
