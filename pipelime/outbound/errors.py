"""Why a foreign host was not reached."""

from __future__ import annotations

REFUSAL = (
    "This host cannot be found or may not be reached: "
    "use https, a public host and a usual port, or ask the operator to allow its address"
)
MAIL_REFUSAL = (
    "This host cannot be found or may not be reached: "
    "use a public host and a usual port of mail servers, or ask the operator to allow its address"
)


class OutboundError(Exception):
    """`str()` may be shown to whoever named the host; `kind` and `reason` are for operators' logs.

    Shown to a tenant, they would tell which names and addresses exist inside the operator's network.
    """

    kind = "protocol"

    def __init__(self, message: str, *, reason: str = ""):
        super().__init__(message)
        self.reason = reason or message


class Refused(OutboundError):
    """The policy forbids it. One sentence for every cause, so that refusals cannot be used to look around."""

    kind = "refused"

    def __init__(self, reason: str, message: str = REFUSAL):
        super().__init__(message, reason=reason)


class Unresolved(Refused):
    """The name has no address, or its name server did not answer in time."""

    kind = "dns"


class Malformed(Refused):
    """What was asked for is wrong in itself: nothing was looked up, so the cause may be told."""

    def __init__(self, message: str):
        OutboundError.__init__(self, message)


class Unreachable(OutboundError):
    kind = "connect"


class TlsFailed(OutboundError):
    kind = "tls"


class TimedOut(OutboundError):
    kind = "timeout"


class ProtocolError(OutboundError):
    kind = "protocol"
