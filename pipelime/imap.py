"""IMAP as we speak it: connections that outbound has judged, and folders looked at by uid."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from pipelime import outbound

TIMEOUT = 30.0
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
UID = re.compile(rb"\bUID (\d+)")
LISTED = re.compile(rb'\((?P<flags>[^)]*)\) (?:"(?:[^"\\]|\\.)*"|NIL) (?P<name>.+)')
# Servers that do not say what a folder is for (RFC 6154) mostly call it so.
USUAL_NAMES = {
    "\\Junk": ("junk", "spam", "junk email", "junk e-mail", "bulk mail", "[gmail]/spam", "inbox.junk"),
    "\\Sent": ("sent", "sent items", "sent messages", "sent mail", "[gmail]/sent mail", "inbox.sent"),
}


class Client(imaplib.IMAP4):
    """The library's client on a connection of ours; `secure` is TLS from the first byte."""

    def __init__(self, host: str, port: int, *, secure: bool, timeout: float = TIMEOUT):
        self.secure = secure
        super().__init__(host, port, timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        connected = outbound.connect(self.host, self.port, timeout or TIMEOUT)
        if not self.secure:
            return connected
        return ssl.create_default_context().wrap_socket(connected, server_hostname=self.host)


class Head(NamedTuple):
    """What is looked at of a mail before it is fetched: its size in bytes, and its headers."""

    uid: int
    size: int
    headers: bytes


class Folder:
    """One folder, selected: its messages by uid. Looking at one leaves it unread."""

    def __init__(self, server: imaplib.IMAP4, name: str, *, readonly: bool = True):
        self.server = server
        answer(server.select(quoted(name), readonly))
        # Another one means that the uids are others than before; a server that says none keeps one.
        self.uid_validity = number_in(server, "UIDVALIDITY") or 1
        self.next_uid = number_in(server, "UIDNEXT")  # 0 where the server does not say

    def unseen(self) -> list[int]:
        return self.search("UNSEEN")

    def after(self, uid: int) -> list[int]:
        """A range never is empty: without a newer message the server names the last one again."""
        return [found for found in self.search("UID", f"{uid + 1}:*") if found > uid]

    def since(self, day: date) -> list[int]:
        """What came in on that day or later, by the server's clock."""
        return self.search("SINCE", f"{day.day}-{MONTHS[day.month - 1]}-{day.year}")

    def with_header(self, name: str, value: str) -> list[int]:
        return self.search("HEADER", name, quoted(value))

    def last_uid(self) -> int:
        return self.next_uid - 1 if self.next_uid else max(self.after(0), default=0)

    def search(self, *criteria: str) -> list[int]:
        lines = answer(self.server.uid("SEARCH", *criteria))
        return sorted(int(uid) for line in lines if line for uid in line.split())

    def size(self, uid: int) -> int:
        found = SIZE.search(b" ".join(flat(answer(self.server.uid("FETCH", str(uid), "(RFC822.SIZE)")))))
        return int(found[1]) if found else 0

    def heads(self, uids: Iterable[int]) -> list[Head]:
        """Of those that are still there."""
        wanted = ",".join(map(str, uids))
        lines = answer(self.server.uid("FETCH", wanted, "(UID RFC822.SIZE BODY.PEEK[HEADER])"))
        return sorted(heads_in(lines))

    def message(self, uid: int, *, most: int | None = None) -> bytes:
        """As it came, at most so many bytes of it; nothing when it has been deleted meanwhile."""
        part = "" if most is None else f"<0.{most}>"
        lines = answer(self.server.uid("FETCH", str(uid), f"(BODY.PEEK[]{part})"))
        return next((line[1] for line in lines if isinstance(line, tuple)), b"")

    def mark(self, uid: int) -> None:
        answer(self.server.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)"))


def special_folder(server: imaplib.IMAP4, use: str) -> str:
    r"""The folder that serves a purpose such as \Junk or \Sent, by its flag or else by its name; or ""."""
    known = [found for line in answer(server.list()) if (found := LISTED.search(spelt(line)))]
    for found in known:
        if use.encode().lower() in found["flags"].lower().split():
            return unquoted(found["name"])
    names = [unquoted(found["name"]) for found in known if b"\\noselect" not in found["flags"].lower()]
    return next((name for name in names if name.lower() in USUAL_NAMES.get(use, ())), "")


def encrypt(client: Client) -> None:
    """The password travels in clear only to hosts that the operator allows that for."""
    if "STARTTLS" in client.capabilities:
        client.starttls(ssl.create_default_context())
    elif not outbound.peer_allowed_in_clear(client.sock):
        raise outbound.Refused("the server offers no encryption and is not in OUTBOUND_ALLOW")


def leave(server: imaplib.IMAP4) -> None:
    """Politely, if the server still listens."""
    try:
        server.logout()
    except (imaplib.IMAP4.error, OSError):
        server.shutdown()


def answer(reply: tuple[str, list]) -> list:
    status, lines = reply
    if status != "OK":
        raise imaplib.IMAP4.error(f"The server said {status}: {lines[0]!r}")
    return lines


def number_in(server: imaplib.IMAP4, name: str) -> int:
    _, lines = server.response(name)
    return int(lines[0]) if lines and lines[0] else 0


def heads_in(lines: list) -> Iterator[Head]:
    """The uid may stand before the headers or behind them, on the line that ends the answer."""
    for line, following in zip(lines, [*lines[1:], b""], strict=True):
        if not isinstance(line, tuple):
            continue
        around = line[0] + b" " + (following if isinstance(following, bytes) else b"")
        uid, size = UID.search(around), SIZE.search(around)
        if uid:
            yield Head(int(uid[1]), int(size[1]) if size else 0, line[1])


def flat(lines: list) -> Iterator[bytes]:
    for line in lines:
        if line:
            yield from line if isinstance(line, tuple) else (line,)


def spelt(line: bytes | tuple | None) -> bytes:
    """A line of a list; a name that came as a literal stands behind it."""
    return (line[0][: line[0].rfind(b"{")] + line[1] if isinstance(line, tuple) else line) or b""


def quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquoted(name: bytes) -> str:
    text = name.strip().decode("ascii", "replace")
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
