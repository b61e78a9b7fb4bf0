"""A local SMTP server that delivers nowhere: what it takes becomes .eml files that the browser can show."""

from __future__ import annotations

import asyncio
import re
import secrets
import signal
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

CAPACITY = 20_000
LARGEST_MESSAGE = 35 * 1024 * 1024
HEADERS_READ = 64 * 1024
# Nanoseconds since 1970 in hexadecimal, then a random part: names sort by time of arrival.
ID = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Stored:
    id: str
    sender: str
    to: str
    subject: str
    date: datetime | None


class Mailsink:
    """aiosmtpd's handler; the only writer of its folder."""

    def __init__(self, folder: Path, capacity: int = CAPACITY) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.capacity = capacity
        self.ids = deque(sorted(ids(folder)))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return f"250 2.0.0 Kept as {self.keep(envelope)}"

    def keep(self, envelope: Envelope) -> str:
        message_id = f"{time.time_ns():016x}-{secrets.token_hex(4)}"
        recipients = ", ".join(envelope.rcpt_tos)
        head = f"X-Envelope-From: {envelope.mail_from or '<>'}\r\nX-Envelope-To: {recipients}\r\n".encode()
        draft = self.folder / f".{message_id}"
        draft.write_bytes(head + (envelope.original_content or b""))
        draft.replace(path_of(self.folder, message_id))
        self.ids.append(message_id)
        while len(self.ids) > self.capacity:
            path_of(self.folder, self.ids.popleft()).unlink(missing_ok=True)
        return message_id


def server(handler: Mailsink) -> SMTP:
    """Takes any login, in clear: it serves loopback only, and mailboxes of the demo log in like real ones."""
    return SMTP(
        handler,
        hostname="mailsink.localhost",
        ident="Pipelime mail sink",
        data_size_limit=LARGEST_MESSAGE,
        enable_SMTPUTF8=True,
        auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=True),
    )


def serve(folder: Path, port: int) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT."""
    asyncio.run(listen(Mailsink(Path(folder)), port))


async def listen(handler: Mailsink, port: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    listener = await loop.create_server(lambda: server(handler), "127.0.0.1", port)
    async with listener:
        sys.stdout.write(f"Taking mail at 127.0.0.1:{port}\n")
        sys.stdout.flush()
        await stopped.wait()


def stored(folder: Path, limit: int = 100) -> list[Stored]:
    """The newest messages first."""
    found = []
    for message_id in sorted(ids(folder), reverse=True)[:limit]:
        with suppress(FileNotFoundError):  # the sink made room meanwhile
            found.append(summary(folder, message_id))
    return found


def summary(folder: Path, message_id: str) -> Stored:
    with path_of(folder, message_id).open("rb") as file:
        headers = BytesHeaderParser(policy=policy.default).parsebytes(file.read(HEADERS_READ))
    date = headers["date"]
    return Stored(
        id=message_id,
        sender=str(headers["from"] or headers["x-envelope-from"]),
        to=str(headers["to"] or headers["x-envelope-to"]),
        subject=str(headers["subject"] or ""),
        date=getattr(date, "datetime", None),
    )


def load(folder: Path, message_id: str) -> EmailMessage:
    """Raises LookupError for an id that names no message."""
    try:
        raw = path_of(folder, message_id).read_bytes()
    except FileNotFoundError:
        raise LookupError(f"The mail sink holds no message {message_id}; it may have made room") from None
    return message_from_bytes(raw, policy=policy.default)


def path_of(folder: Path, message_id: str) -> Path:
    if not ID.fullmatch(message_id):
        raise LookupError(f"{message_id!r} is not the id of a stored message")
    return Path(folder) / f"{message_id}.eml"


def ids(folder: Path) -> list[str]:
    return [path.stem for path in Path(folder).glob("*.eml") if ID.fullmatch(path.stem)]


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
