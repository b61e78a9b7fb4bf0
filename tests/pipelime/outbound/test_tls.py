"""Certificates must be valid for the name that was asked for."""

import socket
import threading

import pytest
import trustme

from pipelime import outbound
from pipelime.outbound import (
    TimedOut,
    TlsFailed,
)
from tests.pipelime.outbound.receiver import OK, answering, certified, dripping


def test_a_certificate_for_the_right_name_is_accepted(receive, names, authority):
    receiver = receive(answering(OK), certified(authority, "hook.example"))

    answer = outbound.post(f"https://hook.example.:{receiver.port}/", b"{}")

    assert answer.status == 200
    assert f"host: hook.example:{receiver.port}".encode() in receiver.requests[0]


def test_a_certificate_for_another_name_is_refused(receive, names, authority):
    receiver = receive(answering(OK), certified(authority, "other.example"))

    with pytest.raises(TlsFailed, match=r"not valid for hook\.example: Hostname mismatch") as failure:
        outbound.post(f"https://hook.example:{receiver.port}/", b"{}")

    assert failure.value.kind == "tls"
    assert receiver.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(receive, names, authority):
    receiver = receive(answering(OK), certified(trustme.CA(), "hook.example"))

    with pytest.raises(TlsFailed, match=r"not valid for hook\.example"):
        outbound.post(f"https://hook.example:{receiver.port}/", b"{}")

    assert receiver.requests == []


def test_a_host_without_tls_is_not_spoken_to_in_clear(receive):
    receiver = receive(answering(b"HTTP/1.1 200 OK\r\n\r\n", "close"))

    with pytest.raises((TlsFailed, TimedOut)):
        outbound.post(f"https://127.0.0.1:{receiver.port}/", b"{}", deadline=0.5)

    assert receiver.requests == []


def test_dripped_headers_over_tls_end_at_the_deadline(receive, names, authority):
    receiver = receive(dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"z"), certified(authority, "hook.example"))

    with pytest.raises(TimedOut):
        outbound.post(f"https://hook.example:{receiver.port}/", b"{}", deadline=0.5)


def test_a_silent_handshake_ends_at_the_deadline(settings):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{port}"]
        patience = threading.Timer(5, listener.close)  # ends what a broken deadline would wait for
        patience.start()

        with pytest.raises(TimedOut):
            outbound.post(f"https://127.0.0.1:{port}/", b"{}", deadline=0.5)

        assert listener.fileno() != -1
        patience.cancel()
