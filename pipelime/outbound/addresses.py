"""Which addresses may be reached: the public internet by our own rule, and what the operator allows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from pipelime.outbound.errors import Refused

# ipaddress.is_global is not enough: Python 3.11 calls multicast, NAT64, 6to4 and others global.
GLOBAL_UNICAST = ip_network("2000::/3")
SPECIAL = [
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]
# Link-local and the clouds' metadata services: they hand out credentials, so the operator cannot open them.
NEVER = [
    ip_network(network)
    for network in (
        "169.254.0.0/16",
        "168.63.129.16/32",  # Azure
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
        "fe80::/10",
        "fd00:ec2::/32",  # AWS
        "fd20:ce::254/128",  # Google
        "fd00:42::42/128",  # Scaleway
    )
]
NAT64 = ip_network("64:ff9b::/96")

LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
V4_COMPATIBLE = ip_network("::/96")

MAX_PORT = 65_535

IP = IPv4Address | IPv6Address


class Address(NamedTuple):
    """A judged address. `in_clear` says that the operator allows it, without TLS too."""

    ip: str
    port: int
    in_clear: bool = False


class Entry(NamedTuple):
    """One line of the operator's list; a port of None stands for every port."""

    network: object
    port: int | None

    def covers(self, ip: IP, port: int) -> bool:
        return ip in self.network and self.port in (None, port)  # type: ignore[operator]


def check_address(ip: str, port: int, allow: Sequence[str] | None = None) -> Address:
    """The address to connect to, with IPv4 in IPv6 unmapped; Refused when it may not be reached."""
    entries = allowed_entries(tuple(_setting() if allow is None else allow))
    address = _parse(ip)
    hidden = _embedded(address)
    if any(candidate in network for candidate in (address, *hidden) for network in NEVER):
        raise Refused(f"{ip} is a link-local or metadata address")
    hidden_too = all(_is_public(v4) or _covered(v4, port, entries) for v4 in hidden)
    if hidden_too and _covered(address, port, entries):
        return Address(str(address), port, in_clear=True)
    if not _is_public(address):
        raise Refused(f"{ip} port {port} is not public and not in OUTBOUND_ALLOW")
    return Address(str(address), port)


@lru_cache(maxsize=16)
def allowed_entries(texts: tuple[str, ...]) -> tuple[Entry, ...]:
    return tuple(_entry(text.strip()) for text in texts)


def _entry(text: str) -> Entry:
    """`10.0.0.0/8`, `192.168.1.4`, `127.0.0.1:1025`, `fd00::/8`, `[::1]:1025`."""
    network, port = text, ""
    if text.startswith("["):
        network, closing, port = text[1:].partition("]")
        port = port.removeprefix(":") if closing else "without ]"
    elif text.count(":") == 1:
        network, _, port = text.partition(":")
    try:
        if port and not 0 < int(port) <= MAX_PORT:
            raise ValueError("the port must lie between 1 and 65535")
        return Entry(ip_network(network), int(port) if port else None)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"OUTBOUND_ALLOW: {text!r} is no address or CIDR ({error}); "
            "write 10.0.0.0/8, 192.168.1.4, 127.0.0.1:1025 or [::1]:1025"
        ) from None


def _setting() -> Sequence[str]:
    return getattr(settings, "OUTBOUND_ALLOW", [])


def _parse(ip: str) -> IP:
    try:
        address = ip_address(ip)
    except ValueError:
        raise Refused(f"{ip!r} is not an IP address") from None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise Refused(f"{ip} names an interface")
        return address.ipv4_mapped or address
    return address


def _embedded(address: IP) -> list[IPv4Address]:
    """The IPv4 addresses that a translator or tunnel would reach for this IPv6 address."""
    if isinstance(address, IPv4Address):
        return []
    bits, found = int(address), [address.sixtofour, *(address.teredo or ())]
    compatible = address in V4_COMPATIBLE and not (address.is_loopback or address.is_unspecified)
    if compatible or address in NAT64 or address in LOCAL_NAT64:
        found.append(IPv4Address(bits & 0xFFFFFFFF))
    if address in LOCAL_NAT64:  # RFC 6052 splits the address around bits 64 to 71 for a /48
        found.append(IPv4Address((bits >> 64 & 0xFFFF) << 16 | bits >> 40 & 0xFFFF))
    return [v4 for v4 in found if v4 is not None]


def _covered(address: IP, port: int, entries: Sequence[Entry]) -> bool:
    return any(entry.covers(address, port) for entry in entries)


def _is_public(address: IP) -> bool:
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    return not any(address in network for network in SPECIAL)
