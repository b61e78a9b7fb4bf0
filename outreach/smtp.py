"""The SMTP dialogue, driven verb by verb so that it is always known whether the server took the message."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from functools import lru_cache
from socket import IPPROTO_TCP, TCP_NODELAY, socket
from types import TracebackType
from typing import Literal, Self

from outreach.smtp_login import Login
from outreach.smtp_results import (
    Abandoned,
    Accepted,
    Deferred,
    Outcome,
    Refused,
    ServerUnavailable,
    TlsRequired,
    Unknown,
)
from outreach.smtp_wire import ConnectionLost, Reply, Wire
from pipelime import outbound

Security = Literal["none", "starttls", "tls"]
Connect = Callable[[str, int, float], socket]

QUIT_SECONDS = 2.0
ENVELOPE = (("MAIL", 2), ("RCPT", 2), ("DATA", 3))  # each verb and the class of the reply that goes on
END_OF_DATA = b"\r\n.\r\n"

_PATH = re.compile(r"[!-;=?-~]{1,320}")
_HOST_NAME = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")
_LINE_END = re.compile(rb"\r\n|\r|\n")


class Dialogue:
    """One connection for a batch of messages, each to one recipient."""

    def __init__(self, wire: Wire, host: str, local_hostname: str):
        _refuse_unsafe_host(local_hostname)
        self.wire = wire
        self.host = host
        self.local_hostname = local_hostname
        self.extensions: dict[str, str] = {}
        self.greeting = ""
        self.login_reply = ""
        self.encrypted = False

    @classmethod
    def open(
        cls,
        host: str,
        port: int,
        security: Security = "starttls",
        username: str = "",
        password: str = "",
        *,
        token: str = "",
        connect: Connect | None = None,
        timeout: float = 30.0,
        local_hostname: str = "localhost",
        allow_clear_password: bool = False,
        tls_context: ssl.SSLContext | None = None,
    ) -> Self:
        _refuse_unsafe_host(local_hostname)
        try:
            connection = (connect or outbound.connect)(host, port, timeout)
        except (OSError, outbound.OutboundError) as error:
            raise ServerUnavailable(f"{host}:{port} cannot be reached: {error}") from error
        connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        dialogue = cls(Wire(connection, timeout), host, local_hostname)
        try:
            dialogue._begin(security, tls_context or _default_tls())
            if username:
                dialogue._log_in(Login(username, password, token), allow_clear_password)
        except ConnectionLost as error:
            dialogue.close()
            raise ServerUnavailable(f"{host}:{port}: {error}") from error
        except BaseException:
            dialogue.close()
            raise
        return dialogue

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.quit()

    @property
    def is_open(self) -> bool:
        return self.wire.is_open

    def send(
        self, envelope_from: str, recipient: str, data: bytes, *, before_dot: Callable[[], bool]
    ) -> Outcome:
        """before_dot is asked once the body is written; only after its True is the end of the data sent."""
        if envelope_from:
            _refuse_unsafe_path("envelope_from", envelope_from)
        _refuse_unsafe_path("recipient", recipient)
        body = transparent(data)
        if too_large := self._too_large(len(body)):
            return too_large
        try:
            if refusal := self._envelope(envelope_from, recipient):
                return self._outcome(*refusal)
            self.wire.write(body)
            if not self._agreed(before_dot):
                return Abandoned()
            if early := self.wire.early_reply():
                self.close()
                return self._outcome("DATA", early)
            self.wire.write(END_OF_DATA)
        except ConnectionLost as error:
            # A write that failed has not handed over the whole end of data, so the server cannot act on it.
            self.close()
            return Deferred(0, str(error))
        return self._verdict()

    def quit(self) -> None:
        """A polite end; whatever goes wrong in it changes nothing about what was sent."""
        if self.is_open:
            try:
                self.wire.timeout = min(self.wire.timeout, QUIT_SECONDS)
                self._command("QUIT")
            except ConnectionLost:
                pass
        self.close()

    def close(self) -> None:
        self.wire.close()

    def _begin(self, security: Security, tls_context: ssl.SSLContext) -> None:
        if security == "tls":
            self._encrypt(tls_context)
        greeting = self.wire.read_reply()
        self.greeting = greeting.text
        if greeting.code != 220:
            raise ServerUnavailable(greeting.text, greeting.code)
        self._hello()
        if security == "starttls":
            self._start_tls(tls_context)

    def _hello(self) -> None:
        reply = self._command(f"EHLO {self.local_hostname}")
        if reply.code in (500, 502):
            reply = self._command(f"HELO {self.local_hostname}")
        if reply.code != 250:
            raise ServerUnavailable(reply.text, reply.code)
        offers = (line.partition(" ") for line in reply.lines[1:])
        self.extensions = {word.upper(): parameters for word, _, parameters in offers}

    def _start_tls(self, tls_context: ssl.SSLContext) -> None:
        if "STARTTLS" not in self.extensions:
            raise TlsRequired(f"{self.host} does not offer STARTTLS")
        reply = self._command("STARTTLS")
        if reply.code != 220:
            raise TlsRequired(reply.text, reply.code)
        if self.wire.has_unread:
            raise TlsRequired(f"{self.host} sent plain text after it agreed to encrypt")
        self._encrypt(tls_context)
        self._hello()

    def _encrypt(self, tls_context: ssl.SSLContext) -> None:
        try:
            self.wire.encrypt(tls_context, self.host)
        except ssl.SSLCertVerificationError as error:
            raise TlsRequired(
                f"the certificate of {self.host} is not valid: {error.verify_message}"
            ) from error
        except ssl.SSLError as error:
            raise TlsRequired(f"{self.host} does not speak TLS here: {error.reason or error}") from error
        self.encrypted = True

    def _log_in(self, login: Login, in_clear: bool) -> None:
        if not self.encrypted and not in_clear:
            raise TlsRequired(
                f"the password is not sent to {self.host} over a connection that is not encrypted"
            )
        self.login_reply = str(login.make(self.host, self.extensions.get("AUTH", ""), self._command))

    def _command(self, line: str) -> Reply:
        self.wire.write(line.encode("ascii") + b"\r\n")
        return self.wire.read_reply()

    def _too_large(self, size: int) -> Refused | None:
        limit = self.extensions.get("SIZE", "")
        if limit.isdecimal() and 0 < int(limit) < size:
            return Refused(552, "5.3.4", f"the message has {size:,} bytes; {self.host} takes {int(limit):,}")
        return None

    def _envelope(self, envelope_from: str, recipient: str) -> tuple[str, Reply] | None:
        """The verb and the reply that refused the message, or None when the server waits for its data."""
        if self.wire.has_unread:
            raise ConnectionLost("the server answered more often than it was asked")
        lines = (f"MAIL FROM:<{envelope_from}>", f"RCPT TO:<{recipient}>", "DATA")
        if "PIPELINING" in self.extensions:
            return self._envelope_at_once(lines)
        for line, (verb, wanted) in zip(lines, ENVELOPE, strict=True):
            reply = self._command(line)
            if reply.code // 100 != wanted:
                return verb, self._give_up(reply)
        return None

    def _envelope_at_once(self, lines: tuple[str, str, str]) -> tuple[str, Reply] | None:
        self.wire.write("\r\n".join((*lines, "")).encode("ascii"))
        refusal: tuple[str, Reply] | None = None
        for verb, wanted in ENVELOPE:
            try:
                reply = self.wire.read_reply()
            except ConnectionLost:
                if refusal is None:
                    raise
                self.close()
                return refusal
            if reply.code // 100 != wanted:
                refusal = refusal or (verb, reply)
        if refusal is None:
            return None
        if reply.code // 100 == 3:
            # It waits for data to nobody; ending that could still send an empty message.
            self.close()
        self._give_up(refusal[1])
        return refusal

    def _give_up(self, refusal: Reply) -> Reply:
        try:
            if self.is_open and (refusal.code == 421 or self._command("RSET").code != 250):
                self.close()
        except ConnectionLost:
            self.close()
        return refusal

    def _agreed(self, before_dot: Callable[[], bool]) -> bool:
        try:
            agreed = before_dot()
        except BaseException:
            self.close()
            raise
        if not agreed:
            self.close()
        return agreed

    def _verdict(self) -> Outcome:
        try:
            reply = self.wire.read_reply()
        except ConnectionLost as error:
            self.close()
            return Unknown(str(error))
        if reply.code // 100 == 2:
            return Accepted(str(reply))
        if reply.code // 100 == 3:
            self.close()
            return Unknown(f"an answer that makes no sense after the data: {reply}")
        return self._outcome(".", reply)

    def _outcome(self, verb: str, refusal: Reply) -> Deferred | Refused:
        if refusal.code == 421:
            self.close()
        if refusal.code // 100 == 5:
            enhanced = _ENHANCED.match(refusal.text)
            return Refused(refusal.code, enhanced[1] if enhanced else "", refusal.text, verb)
        return Deferred(refusal.code, refusal.text, verb)


def transparent(data: bytes) -> bytes:
    """The message as DATA carries it, without its end: lines end in CRLF and none can pass for the end.

    Servers disagree about a bare CR or LF before a dot; sent as it is, one could smuggle in a second message.
    """
    if not data.count(b"\r\n") == data.count(b"\r") == data.count(b"\n"):
        data = _LINE_END.sub(b"\r\n", data)
    if data.startswith(b"."):
        data = b"." + data
    return data.replace(b"\r\n.", b"\r\n..").removesuffix(b"\r\n")


def _refuse_unsafe_host(name: str) -> None:
    if not _HOST_NAME.fullmatch(name):
        raise ValueError(f"local_hostname: {name!r} is not a host name such as mail.example.com")


def _refuse_unsafe_path(field: str, path: str) -> None:
    if "@" not in path or not _PATH.fullmatch(path):
        raise ValueError(f"{field}: {path!r} is not one ASCII address such as name@example.com")


@lru_cache(maxsize=1)
def _default_tls() -> ssl.SSLContext:
    return ssl.create_default_context()
