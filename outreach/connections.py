"""Opening a mailbox's servers, logged in as the mailbox says."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from outreach.composing import addr_spec
from outreach.models import EmailAccount
from outreach.smtp import Dialogue
from pipelime import outbound

REPLY_SECONDS = 12.0  # the connection and three verbs fit into one lease
IMAP_SECONDS = 10.0


def open_smtp(mailbox: EmailAccount) -> Dialogue:
    return Dialogue.open(
        mailbox.smtp_host,
        mailbox.smtp_port,
        mailbox.smtp_security,
        mailbox.smtp_username,
        mailbox.smtp_password,
        timeout=REPLY_SECONDS,
        local_hostname=addr_spec(mailbox.email).rpartition("@")[2],
        allow_clear_password=outbound.allowed_in_clear(mailbox.smtp_host, mailbox.smtp_port),
    )


@contextmanager
def open_imap(mailbox: EmailAccount) -> Iterator[imaplib.IMAP4]:
    """Logged in, no folder selected; left politely if the server still listens."""
    server = imap_connection(mailbox)
    try:
        log_in(server, mailbox)
        yield server
    finally:
        try:
            server.logout()
        except (imaplib.IMAP4.error, OSError):
            server.shutdown()


def log_in(server: imaplib.IMAP4, mailbox: EmailAccount) -> str:
    """The server's own words."""
    _, words = server.login(mailbox.imap_username, mailbox.imap_password)
    return words[0].decode("utf-8", "replace")


class JudgedIMAP(imaplib.IMAP4):
    """imaplib over a connection to an address that outbound has judged."""

    def _create_socket(self, timeout):
        return outbound.connect(self.host, self.port, timeout or IMAP_SECONDS)


class JudgedTlsIMAP(JudgedIMAP):
    def _create_socket(self, timeout):
        plain = super()._create_socket(timeout)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


def imap_connection(mailbox: EmailAccount) -> imaplib.IMAP4:
    host, port, security = mailbox.imap_host, mailbox.imap_port, mailbox.imap_security
    if security == EmailAccount.Security.NONE and not outbound.allowed_in_clear(host, port):
        raise OSError(f"the password is not sent to {host} over a connection that is not encrypted")
    if security == EmailAccount.Security.TLS:
        return JudgedTlsIMAP(host, port, timeout=IMAP_SECONDS)
    server = JudgedIMAP(host, port, timeout=IMAP_SECONDS)
    if security == EmailAccount.Security.STARTTLS:
        server.starttls(ssl.create_default_context())
    return server
