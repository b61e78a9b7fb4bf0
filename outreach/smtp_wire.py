"""The wire under the SMTP dialogue: bytes out, replies in, each bounded in time and size."""

from __future__ import annotations

import select
import ssl
import time
from dataclasses import dataclass
from socket import socket

LONGEST_LINE = 2_048
MOST_LINES = 200
CHUNK = 8_192


class ConnectionLost(OSError):
    """The connection ended, fell silent, or speaks something that is not SMTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Wire:
    def __init__(self, connection: socket, timeout: float):
        self.connection = connection
        self.timeout = timeout
        self.unread = bytearray()
        self.is_open = True
        self._patience: float | None = None

    @property
    def has_unread(self) -> bool:
        return bool(self.unread)

    def encrypt(self, context: ssl.SSLContext, name: str) -> None:
        self._be_patient(self.timeout)
        try:
            self.connection = context.wrap_socket(self.connection, server_hostname=name)
        except OSError as error:
            if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
                raise
            raise ConnectionLost(f"the connection was lost while it was being encrypted: {error}") from error

    def write(self, data: bytes) -> None:
        self._refuse_closed()
        try:
            self._be_patient(self.timeout)
            self.connection.sendall(data)
        except OSError as error:
            raise ConnectionLost(f"the connection was lost while sending: {error}") from error

    def read_reply(self) -> Reply:
        self._refuse_closed()
        deadline = time.monotonic() + self.timeout
        code = 0
        lines: list[str] = []
        while len(lines) < MOST_LINES:
            line = self._read_line(deadline)
            code, is_last, text = _parsed(line, code)
            lines.append(text)
            if is_last:
                return Reply(code, tuple(lines))
        raise ConnectionLost(f"the answer has over {MOST_LINES} lines")

    def early_reply(self) -> Reply | None:
        """What the server says out of turn, if anything; a connection that it has closed counts as lost."""
        self._refuse_closed()
        if not self.unread:
            if not self._has_arrived():
                return None
            try:
                self._be_patient(0)
                self._receive()
            except (BlockingIOError, ssl.SSLWantReadError):
                return None
            except OSError as error:
                raise ConnectionLost(
                    f"the connection was lost before the end of the data: {error}"
                ) from error
        return self.read_reply()

    def close(self) -> None:
        self.is_open = False
        self.connection.close()

    def _read_line(self, deadline: float) -> bytes:
        while (end := self.unread.find(b"\n")) < 0:
            if len(self.unread) > LONGEST_LINE:
                break
            self._wait_for_more(deadline)
        if end < 0 or end > LONGEST_LINE:
            raise ConnectionLost(f"a line of the answer has over {LONGEST_LINE:,} bytes")
        line = bytes(self.unread[:end]).removesuffix(b"\r")
        del self.unread[: end + 1]
        return line

    def _wait_for_more(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise ConnectionLost(f"no whole answer within {self.timeout:g} s")
        try:
            # Setting a timeout is a system call, so the first wait keeps the one that is set already.
            self._be_patient(left if left < self.timeout * 0.9 else self.timeout)
            self._receive()
        except TimeoutError:
            raise ConnectionLost(f"no whole answer within {self.timeout:g} s") from None
        except ConnectionLost:
            raise
        except OSError as error:
            raise ConnectionLost(f"the connection was lost while waiting for an answer: {error}") from error

    def _receive(self) -> None:
        data = self.connection.recv(CHUNK)
        if not data:
            raise ConnectionLost("the server closed the connection")
        self.unread += data

    def _has_arrived(self) -> bool:
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        return bool(poll.poll(0)) or (
            isinstance(self.connection, ssl.SSLSocket) and bool(self.connection.pending())
        )

    def _be_patient(self, seconds: float) -> None:
        if seconds != self._patience:
            self.connection.settimeout(seconds)
            self._patience = seconds

    def _refuse_closed(self) -> None:
        if not self.is_open:
            raise ConnectionLost("the connection is closed")


def _parsed(line: bytes, expected: int) -> tuple[int, bool, str]:
    """Code, whether the reply ends here, text."""
    code, mark = line[:3], line[3:4]
    is_reply = code.isdigit() and b"200" <= code <= b"599" and mark in (b" ", b"-", b"")
    if not is_reply or expected not in (0, int(code)):
        raise ConnectionLost(f"an answer that is not SMTP: {line[:80]!r}")
    return int(code), mark != b"-", line[4:].decode("utf-8", "replace").strip()
