"""The operator's mailbox: where it is, and its folder opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from pipelime.imap import Client, Folder, encrypt, leave

PORTS = {"imaps": 993, "imap": 143}
EXAMPLE = "imaps://user:password@mail.example.com:993/INBOX"


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


@contextmanager
def opened(place: Place) -> Iterator[Folder]:
    """Logged in, with the folder selected."""
    client = Client(place.host, place.port, secure=place.secure)
    try:
        if not place.secure:
            encrypt(client)
        client.login(place.username, place.password)
        yield Folder(client, place.folder, readonly=False)
    finally:
        leave(client)
