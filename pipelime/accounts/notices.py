"""The system's own mail: written to the ledger with the change it tells of, delivered by a worker."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.db.models import F
from django.utils import timezone

from pipelime import ledger
from pipelime.accounts.models import Account, Notice, User
from pipelime.changing import checked
from pipelime.doorbell import ring
from pipelime.permalinks import permalink

log = structlog.get_logger(__name__)

TASK = "pipelime.accounts.tasks.send_notices"
BATCH = 10
ATTEMPTS = 16  # with a pause that doubles up to four hours: about a day and a half
TIMEOUT = 15  # seconds, well below the lease, which is renewed before each mail
PORTS = {"none": 25, "starttls": 587, "tls": 465}


class NoMailServer(Exception):
    """Nobody has said through which server the system's own mail goes."""


def send_notice(account: Account, to: str, subject: str, text: str) -> Notice:
    """Queue a mail to one address, in the caller's transaction. A subject is one line, whatever is in it."""
    line = " ".join(subject.split())[:250]
    values = checked(Notice, {"to": to, "subject": line, "text": text})
    notice = Notice.objects.create(account=account, **values)
    ring(TASK)
    return notice


def tell_owner(row: Any, owner: User | None, *, by, path: str) -> None:
    """Mail whoever was given `row`, if they want that. Who assigns to themselves needs no mail."""
    if owner is None or owner == by or not owner.wants_assignment_mail:
        return
    giver, what = by.actor[1] if by is not None else "Pipelime", row._meta.verbose_name
    text = f"{giver} assigned the {what} “{row}” to you.\n\n{permalink(path, row.pk)}\n"
    send_notice(row.account, owner.email, f"{what.capitalize()} assigned: {row}", text)


@dataclass(frozen=True)
class MailServer:
    host: str
    port: int
    security: str
    username: str = ""
    password: str = ""

    def connection(self) -> EmailBackend:
        return EmailBackend(
            host=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.security == "starttls",
            use_ssl=self.security == "tls",
            timeout=TIMEOUT,
        )


SCHEMES = {"smtp": "none", "smtps": "tls", "smtp+starttls": "starttls", "smtp+tls": "tls"}


def mail_server() -> MailServer:
    """What PIPELIME_MAIL_URL names; without one, the local sink, from which nothing leaves the machine."""
    if settings.PIPELIME_MAIL_URL:
        return parse_mail_url(settings.PIPELIME_MAIL_URL)
    if settings.SINK_PORT:
        return MailServer("127.0.0.1", settings.SINK_PORT, "none")
    raise NoMailServer("PIPELIME_MAIL_URL is not set and there is no local mail sink")


def parse_mail_url(url: str) -> MailServer:
    """Messages name what is wrong without repeating the URL, which holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"PIPELIME_MAIL_URL cannot be read: {error}") from None
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ImproperlyConfigured(
            "PIPELIME_MAIL_URL must look like smtp+starttls://user:password@mail.example.com:587 "
            "(schemes: smtp, smtp+starttls, smtps)"
        )
    security = SCHEMES[parts.scheme]
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.hostname, port or PORTS[security], security, username, password)


def deliver_due() -> int:
    """Send every due notice; safe in several workers. A notice is repeatable: at least once."""
    sent = 0
    while fences := ledger.claim_due(Notice, limit=BATCH, now=timezone.now()):
        sent += deliver(list(Notice.objects.filter(pk__in=fences).order_by("due_at", "pk")), fences)
    return sent


def deliver(notices: list[Notice], fences: dict[int, int]) -> int:
    """Send a claimed batch over one connection."""
    try:
        connection = mail_server().connection()
        connection.open()
    except (NoMailServer, ImproperlyConfigured, OSError, smtplib.SMTPException) as error:
        for notice in notices:
            postpone(notice, fences[notice.pk], error)
        return 0
    try:
        return sum(deliver_one(notice, fences[notice.pk], connection) for notice in notices)
    finally:
        connection.close()


def deliver_one(notice: Notice, fence: int, connection: EmailBackend) -> bool:
    try:
        ledger.renew(Notice, {notice.pk: fence})
        letter(notice, connection).send()
        ledger.finish(Notice, notice.pk, fence, attempts=F("attempts") + 1, last_error="")
    except ledger.LeaseLost:
        return False
    except smtplib.SMTPRecipientsRefused as error:
        [(code, words)] = error.recipients.values()
        give_up = 500 <= code < 600
        postpone(notice, fence, f"{code} {words.decode('utf-8', 'replace')}", give_up=give_up)
        return False
    except (OSError, ValueError, smtplib.SMTPException) as error:
        postpone(notice, fence, error)
        connection.close()
        return False
    return True


def letter(notice: Notice, connection: EmailBackend) -> EmailMessage:
    """One recipient, which was checked when the notice was written, and a fixed set of headers."""
    host = parseaddr(settings.MAIL_FROM)[1].rpartition("@")[2] or "localhost"
    return EmailMessage(
        subject=notice.subject,
        body=notice.text,
        from_email=settings.MAIL_FROM,
        to=[notice.to],
        # The same id on a second attempt lets a mail program show one message.
        headers={"Message-ID": f"<notice.{notice.uid}@{host}>", "Auto-Submitted": "auto-generated"},
        connection=connection,
    )


def postpone(notice: Notice, fence: int, error: object, *, give_up: bool = False) -> None:
    attempts = notice.attempts + 1
    log.warning("notice.not_sent", notice=str(notice.uid), attempts=attempts, error=str(error))
    try:
        if give_up or attempts >= ATTEMPTS:
            ledger.finish(
                Notice, notice.pk, fence, state="failed", attempts=attempts, last_error=str(error)[:2000]
            )
            return
        due_at = timezone.now() + ledger.back_off(notice.attempts)
        ledger.put_back(Notice, notice.pk, fence, due_at=due_at, error=str(error), attempts=attempts)
    except ledger.LeaseLost:
        log.info("notice.lease_lost", notice=str(notice.uid))
