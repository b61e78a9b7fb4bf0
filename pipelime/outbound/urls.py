"""Taking apart the addresses and headers that users supply, and refusing what could smuggle."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

import idna

from pipelime.outbound.errors import Malformed

SCHEMES = {"https": 443, "http": 80}
UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# Ours to set: each of them decides where the message goes, where it ends or what comes back.
RESERVED = {
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "expect",
    "te",
    "trailer",
    "accept-encoding",
    "proxy-authorization",
    "proxy-connection",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `host` is what gets resolved, `name` what TLS and the Host header say."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def name(self) -> str:
        return self.host.rstrip(".")

    @property
    def authority(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port == SCHEMES[self.scheme] else f"{name}:{self.port}"


def parse_url(url: str) -> Target:
    """Malformed says what is wrong with the text; whether the host may be reached is judged on connecting."""
    if UNSAFE.search(url):
        raise Malformed("url: spaces, control characters and backslashes must be percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Malformed(f"url: {url!r} cannot be read ({error})") from None
    if parts.scheme not in SCHEMES:
        raise Malformed(f"url: {url!r} must begin with https://")
    if "@" in parts.netloc:
        raise Malformed("url: a user name or password does not belong in it; send a header instead")
    if "#" in url:
        raise Malformed("url: a fragment (#…) is never sent to a server; remove it")
    if port == 0:
        raise Malformed("url: port 0 does not exist; leave the port out or use 443")
    host = ascii_host(parts.hostname or "")
    return Target(parts.scheme, host, port or SCHEMES[parts.scheme], _path(parts))


def ascii_host(host: str) -> str:
    """The host as DNS knows it: lower case, international names in their xn-- form."""
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise Malformed(f"host: {host!r} is not a host name") from None
    if not HOST.fullmatch(name):
        raise Malformed(f"host: {host!r} is not a host name; write it like hooks.example.com")
    return name.lower()


def check_headers(headers: Mapping[str, str]) -> None:
    """Malformed names the first header that a user may not set, or that would break out of its line."""
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise Malformed(f"header: {name!r} is no header name; use at most 64 letters, digits and hyphens")
        if name.lower() in RESERVED:
            raise Malformed(f"header: {name} is set by us and cannot be chosen")
        if not HEADER_VALUE.fullmatch(value):
            raise Malformed(f"header: the value of {name} must be one line of Latin-1 text")


def _path(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?[]{}|^")
    return f"{path}?{query}" if query else path
