"""Resolving a name within a deadline, judging every answer, and connecting to exactly what was judged."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from concurrent.futures import Future
from functools import cache
from ipaddress import ip_address
from typing import Any, TypeVar, cast

from pipelime.outbound.addresses import Address, check_address
from pipelime.outbound.errors import (
    MAIL_REFUSAL,
    Malformed,
    Refused,
    TimedOut,
    TlsFailed,
    Unreachable,
    Unresolved,
)
from pipelime.outbound.urls import ascii_host

HTTP_PORTS = frozenset({80, 443, 8443})
# SMTP, submission and IMAP with the alternatives that large mail providers document.
MAIL_PORTS = frozenset({25, 465, 587, 588, 2465, 2525, 2587, 8025, 143, 993})
LOOKUP_TIMEOUT = 5.0
CONNECT_TIMEOUT = 5.0
# A lookup cannot be interrupted: slow name servers may hold this many threads and no more.
_lookups = threading.BoundedSemaphore(32)


class BoundedSocket(socket.socket):
    """A socket whose whole exchange has one deadline and one limit of bytes received.

    A socket's own timeout begins anew with every read, so a peer that drips never meets it.
    """

    until = float("inf")
    left_to_read = 0

    def bound(self, *, until: float, at_most: int) -> None:
        self.until = until
        self.left_to_read = at_most

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(time_left(self.until))
        count = super().recv_into(*args, **kwargs)
        self.left_to_read -= count
        if self.left_to_read < 0:
            raise OSError("the answer is longer than any we read")
        return count

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(time_left(self.until))
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(time_left(self.until))
        super().sendall(*args, **kwargs)


class BoundedTlsSocket(BoundedSocket, ssl.SSLSocket):
    """The same over TLS: the context makes it, and its methods come first."""


Socket = TypeVar("Socket", bound=socket.socket)


def resolve(
    host: str, port: int, *, ports: frozenset[int] | None = None, timeout: float = LOOKUP_TIMEOUT
) -> list[Address]:
    """Every address of the host, all of them judged: one bad answer refuses the whole name.

    `ports` are those that hosts outside the operator's list may be reached on.
    """
    addresses = [check_address(ip, port) for ip in _answers(ascii_host(host), port, timeout)]
    if ports is not None and port not in ports and not all(address.in_clear for address in addresses):
        raise Refused(f"port {port} of {host} is none of {sorted(ports)} and not in OUTBOUND_ALLOW")
    return addresses


def allowed_in_clear(host: str, port: int) -> bool:
    """Whether the operator lets this host be reached without TLS."""
    try:
        return all(address.in_clear for address in resolve(host, port))
    except Refused:
        return False


def peer_allowed_in_clear(connected: socket.socket) -> bool:
    """The same of an open connection: unlike a name, its peer cannot change between question and use."""
    try:
        return check_address(*connected.getpeername()[:2]).in_clear
    except Refused:
        return False


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """An open TCP connection to a mail server; the caller speaks TLS over it."""
    until = time.monotonic() + timeout
    try:
        addresses = resolve(host, port, ports=MAIL_PORTS, timeout=min(timeout, LOOKUP_TIMEOUT))
    except Malformed:
        raise
    except Refused as error:
        raise type(error)(error.reason, MAIL_REFUSAL) from None
    connected = dial(addresses, until, socket.socket)
    connected.settimeout(timeout)
    return connected


def dial(addresses: list[Address], until: float, kind: type[Socket]) -> Socket:
    """Connect to the first address that answers."""
    problem: OSError = OSError("no address")
    for address in addresses:
        try:
            connected = _open(address, until, kind)
        except OSError as error:
            problem = error
            continue
        if not address.in_clear and connected.getsockname()[0] == address.ip:
            connected.close()
            raise Refused(f"{address.ip} is this very machine")
        return connected
    if isinstance(problem, TimeoutError):
        raise TimedOut("The host did not accept a connection in time", reason=f"{addresses}: {problem}")
    raise Unreachable("The host did not accept a connection", reason=f"{addresses}: {problem}")


def secure(plain: BoundedSocket, name: str, until: float) -> BoundedTlsSocket:
    """Speak TLS over the connection, with a certificate that must be valid for `name`."""
    try:
        plain.settimeout(time_left(until))
        tls = tls_context().wrap_socket(plain, server_hostname=name)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        raise TlsFailed(f"The certificate is not valid for {name}: {error.verify_message}") from None
    except TimeoutError:
        plain.close()
        raise TimedOut("The host did not finish the TLS handshake in time") from None
    except OSError as error:
        plain.close()
        raise TlsFailed("The host does not speak TLS that we accept", reason=str(error)) from None
    return cast(BoundedTlsSocket, tls)


@cache
def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = BoundedTlsSocket
    return context


def time_left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


def _open(address: Address, until: float, kind: type[Socket]) -> Socket:
    connected = kind(socket.AF_INET6 if ":" in address.ip else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connected.settimeout(min(time_left(until), CONNECT_TIMEOUT))
        connected.connect((address.ip, address.port))
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connected.close()
        raise
    return connected


def _answers(host: str, port: int, timeout: float) -> list[str]:
    """The texts of all addresses, each once, in the resolver's order."""
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    slots, until = _lookups, time.monotonic() + timeout
    if not slots.acquire(timeout=timeout):
        raise Unresolved(f"{host}: too many lookups are waiting for name servers")
    answer: Future[list[Any]] = Future()
    threading.Thread(target=_look_up, args=(host, port, answer, slots), daemon=True).start()
    try:
        found = answer.result(timeout=max(until - time.monotonic(), 0))
    except TimeoutError:
        raise Unresolved(f"{host}: no answer from the name server within {timeout:.1f} s") from None
    except (OSError, UnicodeError) as error:
        raise Unresolved(f"{host}: {error}") from None
    if not found:
        raise Unresolved(f"{host}: no addresses")
    return list(dict.fromkeys(_text(sockaddr) for *_, sockaddr in found))


def _look_up(host: str, port: int, answer: Future[list[Any]], slots: threading.BoundedSemaphore) -> None:
    try:
        answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP))
    except Exception as error:  # noqa: BLE001 - it is raised again in the thread that waits
        answer.set_exception(error)
    finally:
        slots.release()


def _text(sockaddr: tuple[Any, ...]) -> str:
    """For IPv6 the system may leave the interface out of the text and put its number last."""
    ip, _port, *rest = sockaddr
    scoped = rest[1:] not in ([], [0]) and "%" not in ip
    return f"{ip}%{rest[1]}" if scoped else str(ip)
