"""The only way out to hosts that users name: addresses judged, connections pinned to them, all timed."""

from pipelime.outbound.addresses import Address, check_address
from pipelime.outbound.dialing import HTTP_PORTS, allowed_in_clear, connect, peer_allowed_in_clear, resolve
from pipelime.outbound.errors import (
    Malformed,
    OutboundError,
    ProtocolError,
    Refused,
    TimedOut,
    TlsFailed,
    Unreachable,
    Unresolved,
)
from pipelime.outbound.http import Answer, Connection, post, request, session
from pipelime.outbound.urls import Target, check_headers, parse_url

__all__ = [
    "HTTP_PORTS",
    "Address",
    "Answer",
    "Connection",
    "Malformed",
    "OutboundError",
    "ProtocolError",
    "Refused",
    "Target",
    "TimedOut",
    "TlsFailed",
    "Unreachable",
    "Unresolved",
    "allowed_in_clear",
    "check_address",
    "check_headers",
    "connect",
    "parse_url",
    "peer_allowed_in_clear",
    "post",
    "request",
    "resolve",
    "session",
]
