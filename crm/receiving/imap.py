"""A mailbox spoken to over IMAP, under the address rules that hold for every host that we are told of."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from pipelime import outbound

TIMEOUT = 30.0
PORTS = {"imaps": 993, "imap": 143}
EXAMPLE = "imaps://user:password@mail.example.com:993/INBOX"
SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


@dataclass(frozen=True)
class Place:
    """Which folder of which mailbox; `secure` is TLS from the first byte."""

    host: str
    port: int
    secure: bool
    username: str
    password: str
    folder: str

    @property
    def name(self) -> str:
        """What it is called where no password belongs."""
        return f"{self.username}@{self.host}:{self.port}/{self.folder}"


def parse_imap_url(url: str) -> Place:
    """Messages name what is wrong without repeating the address, which holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"PIPELIME_INBOUND_IMAP cannot be read: {error}") from None
    if parts.scheme not in PORTS or not parts.hostname or not parts.username:
        raise ImproperlyConfigured(f"PIPELIME_INBOUND_IMAP must look like {EXAMPLE}")
    username, password = unquote(parts.username), unquote(parts.password or "")
    folder = unquote(parts.path.strip("/")) or "INBOX"
    if not folder.isascii() or not folder.isprintable():
        raise ImproperlyConfigured("PIPELIME_INBOUND_IMAP: the folder's name must be plain ASCII")
    secure = parts.scheme == "imaps"
    return Place(parts.hostname, port or PORTS[parts.scheme], secure, username, password, folder)


class Client(imaplib.IMAP4):
    """The library's client on a connection of ours."""

    def __init__(self, place: Place):
        self.place = place
        super().__init__(place.host, place.port, TIMEOUT)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        connected = outbound.connect(self.place.host, self.place.port, timeout or TIMEOUT)
        if not self.place.secure:
            return connected
        return ssl.create_default_context().wrap_socket(connected, server_hostname=self.place.host)


@contextmanager
def opened(place: Place) -> Iterator[Mailbox]:
    """Logged in, with the folder selected; left politely if the server still listens."""
    client = Client(place)
    try:
        if not place.secure:
            encrypt(client)
        client.login(place.username, place.password)
        quoted = place.folder.replace("\\", "\\\\").replace('"', '\\"')
        answer(client.select(f'"{quoted}"'))
        yield Mailbox(client)
    finally:
        try:
            client.logout()
        except (imaplib.IMAP4.error, OSError):
            client.shutdown()


def encrypt(client: Client) -> None:
    """The password travels in clear only to hosts that the operator allows that for."""
    if "STARTTLS" in client.capabilities:
        client.starttls(ssl.create_default_context())
    elif not outbound.peer_allowed_in_clear(client.sock):
        raise outbound.Refused("the server offers no encryption and is not in OUTBOUND_ALLOW")


def answer(reply: tuple[str, list]) -> list:
    status, lines = reply
    if status != "OK":
        raise imaplib.IMAP4.error(f"The server said {status}: {lines[0]!r}")
    return lines


class Mailbox:
    """The selected folder: its messages by uid."""

    def __init__(self, client: Client):
        self.client = client

    @property
    def uid_validity(self) -> int:
        """Another number means that the uids are other ones than before."""
        _, lines = self.client.response("UIDVALIDITY")
        return int(lines[0]) if lines and lines[0] else 0

    def unseen(self) -> list[int]:
        return self.search("UNSEEN")

    def after(self, uid: int) -> list[int]:
        """A range never is empty: without a newer message the server names the last one again."""
        return [found for found in self.search(f"UID {uid + 1}:*") if found > uid]

    def search(self, criteria: str) -> list[int]:
        lines = answer(self.client.uid("SEARCH", criteria))
        return sorted(int(uid) for line in lines if line for uid in line.split())

    def size(self, uid: int) -> int:
        found = SIZE.search(b" ".join(flat(answer(self.client.uid("FETCH", str(uid), "(RFC822.SIZE)")))))
        return int(found[1]) if found else 0

    def message(self, uid: int) -> bytes:
        """As it came, and still unread afterwards; nothing when it has been deleted meanwhile."""
        lines = answer(self.client.uid("FETCH", str(uid), "(BODY.PEEK[])"))
        return next((line[1] for line in lines if isinstance(line, tuple)), b"")

    def mark(self, uid: int) -> None:
        answer(self.client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)"))


def flat(lines: list) -> Iterator[bytes]:
    for line in lines:
        if line:
            yield from line if isinstance(line, tuple) else (line,)
