"""Names, listeners and certificates of our own."""

import socket

import pytest
import trustme

from pipelime.outbound import (
    dialing,
)
from tests.pipelime.outbound.receiver import Receiver


@pytest.fixture(autouse=True)
def nothing_allowed(settings):
    settings.OUTBOUND_ALLOW = []


@pytest.fixture
def canary():
    """A listener that nobody may reach."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture
def answers(monkeypatch):
    """Make names resolve to what a test says, one list of addresses a lookup, the last one for ever."""

    def say(*rounds: list[str]) -> None:
        left = list(rounds)

        def getaddrinfo(host, port, **kwargs):
            found = left.pop(0) if len(left) > 1 else left[0]
            return [(socket.AF_INET6 if ":" in ip else socket.AF_INET, 1, 6, "", (ip, port)) for ip in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return say


@pytest.fixture
def receive(settings):
    """Start a receiver that the operator allows."""
    receivers = []

    def start(reply, tls=None) -> Receiver:
        receiver = Receiver(reply, tls)
        receivers.append(receiver)
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{one.port}" for one in receivers]
        return receiver

    yield start
    for receiver in receivers:
        receiver.stop()


@pytest.fixture
def names(monkeypatch):
    """Every name is this machine."""
    found = [(socket.AF_INET, 1, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)


@pytest.fixture
def authority(monkeypatch, tmp_path):
    """A certificate authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    dialing.tls_context.cache_clear()
    yield authority
    dialing.tls_context.cache_clear()
