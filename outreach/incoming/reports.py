"""Reports of mail servers: what could not be delivered (RFC 3464), and whom a mail annoyed (RFC 5965).

They are read by their structure. Only servers without one, qmail and old Exim, are read by their words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from uuid import UUID

from crm.receiving import headers, letters
from crm.receiving.texts import as_text, readable, text_in

DELAYED, FAILED = "delayed", "failed"
ANNOYED = ("abuse", "fraud", "opt-out", "other")
ORIGINALS = (
    "message/rfc822",
    "message/rfc822-headers",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
)
STATUSES = ("message/delivery-status", "message/global-delivery-status")
UID = re.compile(r"[0-9a-f]{32}")
MESSAGE_ID = re.compile(r"<[^<>\s]{1,318}>")
NAMED_ID = re.compile(r"^\s{0,4}[>|]?\s{0,4}Message-ID:\s*(<[^<>\s]{1,318}>)", re.IGNORECASE | re.MULTILINE)
FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{2,60}):[ \t]*(.*)")
BLANK_LINE = re.compile(r"\n[ \t]*\n")
QMAIL = re.compile(r"qmail-send program|This is the qmail", re.IGNORECASE)
QMAIL_RECIPIENT = re.compile(r"^<([^<>\s@]+@[^<>\s]+)>:\n(.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
COPY = re.compile(r"^---.*copy of the message.*$", re.IGNORECASE | re.MULTILINE)
DAEMON = re.compile(r"(?:mailer-?daemon|postmaster|microsoftexchange\w*)@", re.IGNORECASE)
LONGEST = 200_000  # characters of one part


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mail to these addresses, several names of one recipient."""

    addresses: tuple[str, ...]
    action: str
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """`ids` are Message-IDs that it says to be about, `uids` messages of ours.

    A complaint may keep its writer's address to itself.
    """

    is_complaint: bool
    ids: tuple[str, ...]
    uids: tuple[UUID, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    complainers: tuple[str, ...] = ()


def looks_like_one(head: Message) -> bool:
    """By the headers alone, before the mail is fetched: an automatic answer may look the same."""
    return claims_to_be_one(head) or headers.text(head, "Return-Path") == "<>"


def claims_to_be_one(head: Message) -> bool:
    """Of any kind, receipts included: no person wrote it, whether or not it can be read."""
    structured = "multipart/report" in headers.text(head, "Content-Type").lower()
    failed = bool(headers.text(head, "X-Failed-Recipients"))
    return structured or failed or bool(DAEMON.match(headers.sender(head)[1]))


def report_in(message: Message) -> Report | None:
    parts = list(letters.leaves(message))
    if feedback := [fields for part in parts for fields in feedback_in(part)]:
        return complaint(feedback[0], message, parts)
    verdicts = tuple(verdict for part in parts for verdict in verdicts_in(part))
    verdicts = verdicts or told_in_words(message, parts)
    return Report(False, ids_named(message, parts), uids_named(parts), verdicts) if verdicts else None


def verdicts_in(part: Message) -> Iterator[Verdict]:
    """Of a delivery-status part, or of a text that holds its fields, as Gmail's forwarders leave it."""
    kind = part.get_content_type()
    if kind not in STATUSES and kind != "text/plain":
        return
    text = flat_text(part)
    if kind == "text/plain" and "final-recipient:" not in text.lower():
        return
    for block in BLANK_LINE.split(text)[: letters.MOST_PARTS]:
        fields = fields_in(block)
        known = [address_in(fields.get(name, "")) for name in ("original-recipient", "final-recipient")]
        if (addresses := tuple(address for address in known if address)) and "action" in fields:
            yield Verdict(
                headers_once(addresses),
                fields["action"].lower().split()[0] if fields["action"] else "",
                fields.get("status", "").split(" ")[0][:12],
                without_type(fields.get("diagnostic-code", "")),
            )


def told_in_words(message: Message, parts: list[Message]) -> tuple[Verdict, ...]:
    text = "\n\n".join(flat_text(part) for part in parts if part.get_content_type() == "text/plain")
    said = COPY.split(text)[0]
    if QMAIL.search(said):
        found = QMAIL_RECIPIENT.findall(said)
        return tuple(Verdict((address,), FAILED, "", one_line(why)) for address, why in found)
    failed = headers.addresses(message, "X-Failed-Recipients")
    return tuple(Verdict((address,), FAILED, "", about(address, said)) for address in failed)


def about(address: str, said: str) -> str:
    """Exim lists each address with the server's words below it, indented."""
    listed = re.search(
        rf"^[ \t]+<?{re.escape(address)}>?.*\n((?:[ \t]+.+(?:\n|\Z))+)", said, re.MULTILINE | re.IGNORECASE
    )
    return one_line(listed[1] if listed else said)


def feedback_in(part: Message) -> Iterator[dict[str, str]]:
    if part.get_content_type() == "message/feedback-report":
        yield fields_in(flat_text(part))


def complaint(fields: dict[str, str], message: Message, parts: list[Message]) -> Report | None:
    """None for reports that are no complaint: not-spam, or a check of signatures."""
    if fields.get("feedback-type", "").lower() not in ANNOYED:
        return None
    named = [fields.get("original-rcpt-to", "")]
    named += [headers.text(head, "X-HmXmrOriginalRecipient") for head in originals(parts)]
    who = headers_once(address for value in named if (address := address_in(value)))
    return Report(True, ids_named(message, parts), uids_named(parts), complainers=who)


def originals(parts: Iterable[Message]) -> Iterator[Message]:
    """The headers of the mails that a report encloses, whole or in part."""
    for part in parts:
        if part.get_content_type() in ORIGINALS:
            inner = part.get_payload()
            yield inner[0] if isinstance(inner, list) and inner else letters.head_of(letters.content_of(part))


def ids_named(message: Message, parts: list[Message]) -> tuple[str, ...]:
    """The enclosed mail's own first; then what the text says below its copy, and the report's thread."""
    found = [headers.text(head, "Message-ID") for head in originals(parts)]
    for part in parts:
        if part.get_content_type() == "text/plain":
            found += NAMED_ID.findall(flat_text(part))
    found += ids_in(headers.text(message, "In-Reply-To")) + ids_in(headers.text(message, "References"))
    return tuple(dict.fromkeys(one for text in found for one in ids_in(text)))


def uids_named(parts: list[Message]) -> tuple[UUID, ...]:
    """By our own header, which relays leave alone where they put another Message-ID."""
    named = (headers.text(head, "X-Message-Ref") for head in originals(parts))
    return tuple(UUID(found[0]) for text in named if (found := UID.fullmatch(text)))


def ids_in(text: str) -> list[str]:
    return MESSAGE_ID.findall(text)


def fields_in(block: str) -> dict[str, str]:
    """The first of each name, with the lines that go on with it."""
    fields: dict[str, str] = {}
    last = ""
    for line in block.splitlines():
        if line[:1] in " \t" and last:
            fields[last] += " " + line.strip()
        elif found := FIELD.fullmatch(line.rstrip()):
            last = found[1].lower() if found[1].lower() not in fields else ""
            if last:
                fields[last] = found[2].strip()
    return fields


def flat_text(part: Message) -> str:
    """What stands in a part, also where the parser has made blocks of it."""
    if isinstance(part.get_payload(), list):
        return readable(as_text(letters.content_of(part), "utf-8"))[:LONGEST]
    return text_in(part)[:LONGEST]


def address_in(value: str) -> str:
    """Of "rfc822; lea@example.org", and of what servers make of it."""
    found = headers.ADDRESS.search(without_type(value))
    return found[0].rstrip(".") if found else ""


def without_type(value: str) -> str:
    kind, mark, rest = value.partition(";")
    return one_line(rest if mark and " " not in kind.strip() else value)


def one_line(text: str) -> str:
    return " ".join(text.split())[:1000]


def headers_once(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(headers.each_once(found))
