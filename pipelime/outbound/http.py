"""HTTP requests to hosts that users name: no redirects, no proxies, one deadline, a bounded answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import NamedTuple, cast

from django.conf import settings
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from pipelime.outbound import dialing
from pipelime.outbound.dialing import HTTP_PORTS, LOOKUP_TIMEOUT, BoundedSocket
from pipelime.outbound.errors import ProtocolError, Refused, TimedOut
from pipelime.outbound.urls import Target, check_headers, parse_url

MAX_BODY = 20_000
# Status line, headers and framing come on top of the body.
MAX_RECEIVED = MAX_BODY + 128 * 1024
USER_AGENT = "Pipelime"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are lower case; the body is as it came, cut at 20 000 bytes."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class _Request(NamedTuple):
    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]
    until: float


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    deadline: float | None = None,
    keep: Connection | None = None,
) -> Answer:
    return request("POST", url, body, headers, deadline=deadline, keep=keep)


def request(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    deadline: float | None = None,
    keep: Connection | None = None,
    ports: frozenset[int] | None = HTTP_PORTS,
) -> Answer:
    """Send one request and wait at most `deadline` seconds in all; `keep` reuses an open connection.

    `ports` are those that hosts outside the operator's list may be reached on; None stands for any. A status
    line counts as an answer even when the deadline or the limit cuts the body after it.
    """
    if keep is not None:
        return keep.request(method, body, headers, url=url, deadline=deadline)
    with session(url, ports=ports) as connection:
        return connection.request(method, body, headers, deadline=deadline)


@contextmanager
def session(url: str, *, ports: frozenset[int] | None = HTTP_PORTS) -> Iterator[Connection]:
    """One connection to the url's host, opened by the first request, for as many as one likes to send."""
    connection = Connection(url, ports=ports)
    try:
        yield connection
    finally:
        connection.close()


class Connection:
    """A kept connection to one host. It resolves and judges anew whenever it has to reconnect."""

    def __init__(self, url: str, *, ports: frozenset[int] | None = HTTP_PORTS):
        self.target = parse_url(url)
        self.ports = ports
        self._http: HTTPConnection | None = None

    def post(
        self, body: bytes, headers: Mapping[str, str] | None = None, *, deadline: float | None = None
    ) -> Answer:
        return self.request("POST", body, headers, deadline=deadline)

    def request(
        self,
        method: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        url: str | None = None,
        deadline: float | None = None,
    ) -> Answer:
        """A kept connection that the host dropped is replaced once, so a request may arrive twice."""
        target = self.target if url is None else self._same_origin(url)
        started = time.monotonic()
        allowed = getattr(settings, "OUTBOUND_TIMEOUT", 15.0) if deadline is None else deadline
        sending = _Request(method, target.path, body, _headers(target, headers or {}), started + allowed)
        try:
            response = self._respond(target, sending)
            status, received, content = self._read(response)
        except TimeoutError:
            self.close()
            raise TimedOut(f"No answer within {allowed:g} s") from None
        except (HTTPException, HTTPError, OSError) as error:
            self.close()
            raise ProtocolError("The host broke off or did not answer in HTTP", reason=repr(error)) from None
        except BaseException:
            self.close()
            raise
        return Answer(status, received, content, time.monotonic() - started)

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def _same_origin(self, url: str) -> Target:
        target = parse_url(url)
        if target.origin != self.target.origin:
            raise ValueError(f"This connection leads to {self.target.authority}, not to {target.authority}")
        return target

    def _respond(self, target: Target, sending: _Request) -> HTTPResponse:
        if self._http is not None and not self._http.is_closed and self._http.is_connected:
            kept = cast(BoundedSocket, self._http.sock)
            try:
                return _exchange(self._http, sending)
            except ConnectionError:
                if kept.left_to_read < MAX_RECEIVED:
                    raise
                # Nothing came back: the host had closed it while it lay idle.
        self.close()
        self._http = _open(target, sending.until, self.ports)
        return _exchange(self._http, sending)

    def _read(self, response: HTTPResponse) -> tuple[int, dict[str, str], bytes]:
        try:
            content, complete = _body(response)
            if response.status < HTTPStatus.OK:
                raise ProtocolError(f"The host answered {response.status} and nothing final")
            if not complete:
                self.close()
            return response.status, _lowered(response.headers.itermerged()), content
        finally:
            response.close()


def _open(target: Target, until: float, ports: frozenset[int] | None) -> HTTPConnection:
    """urllib3 is given an open socket and never resolves, so nothing can change after the judgement."""
    timeout = min(dialing.time_left(until), LOOKUP_TIMEOUT)
    addresses = dialing.resolve(target.host, target.port, ports=ports, timeout=timeout)
    if target.scheme == "http" and not all(address.in_clear for address in addresses):
        raise Refused(f"{target.host} is not in OUTBOUND_ALLOW, so it is reached over https only")
    connected = dialing.dial(addresses, until, BoundedSocket)
    if target.scheme == "https":
        connected = dialing.secure(connected, target.name, until)
    connection = HTTPConnection(target.name, target.port)
    connection.auto_open = 0
    connection.sock = connected
    return connection


def _exchange(connection: HTTPConnection, sending: _Request) -> HTTPResponse:
    method, path, body, headers, until = sending
    cast(BoundedSocket, connection.sock).bound(until=until, at_most=MAX_RECEIVED)
    # A host may refuse a body by answering, and closing, before it has read all of it.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request(method, path, body, headers, preload_content=False, decode_content=False)
    return connection.getresponse()


def _body(response: HTTPResponse) -> tuple[bytes, bool]:
    """The body so far, and whether it ended there: a cut one leaves its rest on the connection."""
    content = bytearray()
    try:
        while len(content) < MAX_BODY:
            chunk = response.read1(MAX_BODY - len(content), decode_content=False)
            if not chunk:
                return bytes(content), True
            content += chunk
    except (HTTPException, HTTPError, OSError):
        pass
    return bytes(content), False


def _headers(target: Target, headers: Mapping[str, str]) -> dict[str, str]:
    check_headers(headers)
    ours = {"host": target.authority, "accept-encoding": "identity", "user-agent": USER_AGENT}
    return ours | _lowered(headers.items())


def _lowered(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}
