"""A mail that came back, taken apart: what it is, what it says, and what it refers to. Never raises."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime

import structlog

from crm.receiving import headers, letters
from outreach.incoming import absence, leaving, machines, quotes, reports
from outreach.models import Incoming

log = structlog.get_logger(__name__)

Kind = Incoming.Kind
PLUS = re.compile(r"[^@\s]+\+([A-Za-z0-9_-]{38})@[^@\s]+")
MOST_REFERENCES = 100
OLDEST = timedelta(days=60)


@dataclass
class Mail:
    """`references` are Message-IDs, what it answers last; `tokens` are signed ones of mails of ours."""

    kind: str = Kind.REPLY
    sender: str = ""
    sender_name: str = ""
    subject: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    message_id: str = ""
    references: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    text: str = ""  # the new words
    whole_text: str = ""
    is_for_many: bool = False
    looks_like_report: bool = False
    report: reports.Report | None = None
    is_other_report: bool = False  # a receipt, or one that cannot be read
    back_on: date | None = None
    digest: str = ""


def head(raw: bytes, now: datetime) -> Mail:
    """What the headers alone tell, before the mail is fetched."""
    return heading(letters.head_of(raw), now, raw)


def read(raw: bytes, now: datetime) -> Mail:
    try:
        message = letters.parse(raw)
    except Exception as error:  # noqa: BLE001  too many parts, or a parser's surprise: its beginning is read
        log.info("mail.not_taken_apart", error=f"{type(error).__name__}: {error}"[:200])
        message = letters.head_of(raw)
    mail = heading(message, now, raw)
    mail.whole_text = letters.read(raw).text
    mail.text = quotes.new_words(mail.whole_text)
    try:
        mail.report = reports.report_in(message) if mail.looks_like_report else None
    except Exception as error:  # noqa: BLE001  as above: hostile bytes make no report
        log.info("mail.report_not_read", error=f"{type(error).__name__}: {error}"[:200])
    mail.is_other_report = mail.report is None and reports.claims_to_be_one(message)
    return judged(mail, message)


def heading(message: Message, now: datetime, raw: bytes) -> Mail:
    name, sender = headers.sender(message)
    subject, message_id = headers.text(message, "Subject")[:998], headers.text(message, "Message-ID")[:998]
    return Mail(
        sender=sender,
        sender_name=name[:510],
        subject=subject,
        at=written_at(headers.text(message, "Date"), now),
        message_id=message_id,
        references=references_in(message),
        tokens=tokens_in(message, subject),
        is_for_many=machines.is_for_many(message),
        looks_like_report=reports.looks_like_one(message),
        digest=hashlib.sha256(message_id.encode("utf-8", "replace") or raw).hexdigest(),
    )


def judged(mail: Mail, message: Message) -> Mail:
    """What it is. A person's mail with an odd header stays a person's."""
    if mail.report is not None:
        return replace(mail, kind=Kind.COMPLAINT if mail.report.is_complaint else Kind.BOUNCE)
    if leaving.token_in(mail.subject):
        return replace(mail, kind=Kind.UNSUBSCRIBE)
    if machines.is_automatic(message):
        if not absence.is_notice(mail.subject, mail.text):
            return replace(mail, kind=Kind.AUTO_REPLY)
        back = absence.back_on(f"{mail.subject}\n{mail.text}", mail.at.date())
        return replace(mail, kind=Kind.OUT_OF_OFFICE, back_on=back)
    if leaving.wants_out(mail.subject, mail.text):
        return replace(mail, kind=Kind.UNSUBSCRIBE)
    return mail


def references_in(message: Message) -> list[str]:
    named = [one for name in ("References", "In-Reply-To") for one in ids_of(headers.values(message, name))]
    # What it answers is named last, also where it stands among the references.
    return list(reversed(dict.fromkeys(reversed(named))))[-MOST_REFERENCES:]


def ids_of(values: Iterable[str]) -> list[str]:
    return [one for value in values for one in reports.ids_in(value)]


def tokens_in(message: Message, subject: str) -> list[str]:
    """In the subject that leaving asks for, or behind a plus of the address that it came to."""
    behind_plus = [found[1] for address in headers.recipients(message) if (found := PLUS.fullmatch(address))]
    return [token for token in (leaving.token_in(subject), *behind_plus) if token]


def written_at(said: str, now: datetime) -> datetime:
    """By the mail's own clock, unless that cannot be."""
    try:
        written = parsedate_to_datetime(said)
    except (TypeError, ValueError, IndexError, OverflowError):
        return now
    written = written.replace(tzinfo=written.tzinfo or UTC)
    return written if now - OLDEST <= written <= now else now
