"""Opening a mailbox's servers, logged in as the mailbox says: by password, or by a token of OAuth 2.

LoginRefused is raised for a log-in that will not pass by itself. What may pass is ServerUnavailable; over
IMAP an OSError, an OutboundError or imaplib's own error, too.
"""

from __future__ import annotations

import imaplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket
from threading import Timer
from typing import TypeVar

from outreach import oauth
from outreach.access_tokens import access_token
from outreach.composing import addr_spec
from outreach.models import EmailAccount
from outreach.smtp import Connect, Dialogue
from outreach.smtp_login import xoauth2
from outreach.smtp_results import LoginRefused, ServerUnavailable
from pipelime import outbound
from pipelime.imap import leave, quoted

REPLY_SECONDS = 12.0  # the connection and three verbs fit into one lease
IMAP_SECONDS = 10.0
VISIT_SECONDS = 300.0  # one visit to a mailbox in all, however slowly its server drips

T = TypeVar("T")


class ImapLoginRefused(LoginRefused, imaplib.IMAP4.error):
    """Over IMAP; whoever watches for the library's own errors sees it, too."""


def open_smtp(
    mailbox: EmailAccount, *, connect: Connect | None = None, timeout: float | None = None
) -> Dialogue:
    host, port, security = mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_security
    in_clear = security == EmailAccount.Security.NONE and outbound.allowed_in_clear(host, port)

    def opened(token: str) -> Dialogue:
        return Dialogue.open(
            host,
            port,
            security,
            mailbox.smtp_username,
            mailbox.smtp_password,
            token=token,
            connect=connect,
            timeout=timeout or REPLY_SECONDS,
            local_hostname=addr_spec(mailbox.email or "nobody@localhost").rpartition("@")[2],
            allow_clear_password=in_clear,
        )

    return with_token(mailbox, opened)


def with_token(mailbox: EmailAccount, attempt: Callable[[str], T]) -> T:
    """Attempt with the mailbox's token, and once more with a fresh one where the server turns it away.

    A mailbox with a password has no token, and one attempt.
    """
    if mailbox.login == EmailAccount.Login.PASSWORD:
        return attempt("")
    token = token_for(mailbox)
    try:
        return attempt(token)
    except LoginRefused:
        return attempt(token_for(mailbox, refused=token))


def token_for(mailbox: EmailAccount, *, refused: str = "") -> str:
    try:
        return access_token(mailbox, refused=refused)
    except oauth.GrantRefused as error:
        raise ImapLoginRefused(str(error)) from None
    except oauth.ProviderUnavailable as error:
        raise ServerUnavailable(str(error)) from None


@contextmanager
def open_imap(mailbox: EmailAccount, *, seconds: float = VISIT_SECONDS) -> Iterator[imaplib.IMAP4]:
    """Logged in, no folder selected; left politely if the server still listens, cut when the time is over."""
    with within(seconds) as connect:
        server = imap_connection(mailbox, connect)
        try:
            log_in(server, mailbox)
            yield server
        finally:
            leave(server)


def log_in(server: imaplib.IMAP4, mailbox: EmailAccount) -> str:
    """The server's own words."""

    def attempt(token: str) -> str:
        try:
            if token:
                _, words = server.authenticate("XOAUTH2", answers_of(mailbox, token))
            else:
                # The library quotes passwords, but not user names, which may hold blanks.
                _, words = server.login(quoted(mailbox.imap_username), mailbox.imap_password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise ImapLoginRefused(said(error)) from None
        except UnicodeEncodeError:
            raise ImapLoginRefused(
                "The user name or the password holds characters that an IMAP log-in cannot carry; "
                "use ASCII ones"
            ) from None
        return words[0].decode("utf-8", "replace")

    return with_token(mailbox, attempt)


def answers_of(mailbox: EmailAccount, token: str) -> Callable[[bytes], bytes]:
    """The token first; a challenge after it tells of an error, and an empty answer lets the server say it."""
    answers = iter([xoauth2(mailbox.imap_username, token).encode()])
    return lambda challenge: next(answers, b"")


def said(error: imaplib.IMAP4.error) -> str:
    """The library puts the bytes of an answer into its errors."""
    words = error.args[0] if error.args else ""
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)


@contextmanager
def within(seconds: float) -> Iterator[Connect]:
    """A way to connect whose connections are cut when the time is over.

    A socket's own timeout begins anew with every read, so a server that drips never meets it.
    """
    until = time.monotonic() + seconds
    twins: list[socket] = []  # second handles: TLS takes the first ones over

    def connect(host: str, port: int, timeout: float) -> socket:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no time is left of {seconds:g} s")
        connected = outbound.connect(host, port, min(timeout, left))
        twins.append(connected.dup())
        return connected

    def cut() -> None:
        for twin in twins:
            with suppress(OSError):
                twin.shutdown(SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield connect
    finally:
        timer.cancel()
        for twin in twins:
            twin.close()


class JudgedIMAP(imaplib.IMAP4):
    """imaplib over a connection of ours, to an address that outbound has judged."""

    def __init__(self, host: str, port: int, connect: Connect):
        self.connect = connect
        super().__init__(host, port, timeout=IMAP_SECONDS)

    def _create_socket(self, timeout: float | None) -> socket:
        return self.connect(self.host, self.port, timeout or IMAP_SECONDS)


class JudgedTlsIMAP(JudgedIMAP):
    def _create_socket(self, timeout: float | None) -> socket:
        plain = super()._create_socket(timeout)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


def imap_connection(mailbox: EmailAccount, connect: Connect | None = None) -> imaplib.IMAP4:
    host, port, security = mailbox.imap_host, mailbox.imap_port, mailbox.imap_security
    connect = connect or outbound.connect
    if security == EmailAccount.Security.NONE and not outbound.allowed_in_clear(host, port):
        raise OSError(f"the password is not sent to {host} over a connection that is not encrypted")
    if security == EmailAccount.Security.TLS:
        return JudgedTlsIMAP(host, port, connect)
    server = JudgedIMAP(host, port, connect)
    if security == EmailAccount.Security.STARTTLS:
        server.starttls(ssl.create_default_context())
    return server
