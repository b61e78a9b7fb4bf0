"""One request: what is sent, what is kept of the answer, and when waiting ends."""

import gzip
import socket
import threading
from contextlib import suppress

import pytest

from pipelime import outbound
from pipelime.outbound import (
    ProtocolError,
    Refused,
    TimedOut,
)
from tests.pipelime.outbound.receiver import OK, answering, dripping


def test_a_post_arrives_as_it_was_meant(receive, names):
    bodies = []

    def reply(receiver, connection, stream, length):
        bodies.append(stream.read(length))
        connection.sendall(
            b"HTTP/1.1 202 Accepted\r\nRetry-After: 7\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\nok"
        )

    receiver = receive(reply)

    answer = outbound.post(f"http://hook.example:{receiver.port}/a?b=c", b'{"n":1}', {"Webhook-Id": "msg_1"})

    assert (answer.status, answer.body) == (202, b"ok")
    assert answer.headers == {"retry-after": "7", "x-a": "1, 2", "content-length": "2"}
    assert 0 < answer.seconds < 15
    assert bodies == [b'{"n":1}']
    assert sorted(receiver.requests[0].decode().splitlines()) == [
        "Content-Length: 7",
        "POST /a?b=c HTTP/1.1",
        "accept-encoding: identity",
        f"host: hook.example:{receiver.port}",
        "user-agent: Pipelime",
        "webhook-id: msg_1",
    ]


def test_a_header_of_the_caller_replaces_ours_and_is_not_sent_twice(receive):
    receiver = receive(answering(OK))

    outbound.request("GET", f"http://127.0.0.1:{receiver.port}/", headers={"User-Agent": "Chosen"})

    assert receiver.requests[0].lower().count(b"user-agent") == 1
    assert b"user-agent: Chosen" in receiver.requests[0]


def test_a_smuggling_header_is_refused_before_anything_is_sent(receive):
    receiver = receive(answering(OK))

    with pytest.raises(Refused):
        outbound.post(f"http://127.0.0.1:{receiver.port}/", b"", {"X-A": "b\r\nX-B: c"})

    assert receiver.accepted == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receive, status):
    elsewhere = receive(answering(OK))
    location = f"http://127.0.0.1:{elsewhere.port}/".encode()
    receiver = receive(
        answering(b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, location))
    )

    answer = outbound.post(f"http://127.0.0.1:{receiver.port}/", b"{}")

    assert answer.status == status
    assert elsewhere.accepted == 0


def test_proxies_of_the_environment_are_ignored(receive, monkeypatch):
    proxy = receive(answering(b"HTTP/1.1 502 Proxy\r\nContent-Length: 0\r\n\r\n"))
    receiver = receive(answering(OK))
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

    answer = outbound.post(f"http://127.0.0.1:{receiver.port}/", b"{}")

    assert (answer.status, proxy.accepted) == (200, 0)


def test_plain_http_to_a_host_that_is_not_allowed_is_refused(monkeypatch, settings):
    settings.OUTBOUND_ALLOW = []
    found = [(socket.AF_INET, 1, 6, "", ("8.8.8.8", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)

    with pytest.raises(Refused) as refusal:
        outbound.post("http://hook.example/", b"{}")

    assert refusal.value.reason == "hook.example is not in OUTBOUND_ALLOW, so it is reached over https only"


def test_dripped_headers_end_at_the_deadline(receive):
    receiver = receive(dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"z"))

    with pytest.raises(TimedOut, match=r"No answer within 0\.5 s"):
        outbound.post(f"http://127.0.0.1:{receiver.port}/", b"{}", deadline=0.5)


def test_a_dripped_body_is_cut_at_the_deadline_and_its_status_counts(receive):
    receiver = receive(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx", b"x"))

    answer = outbound.post(f"http://127.0.0.1:{receiver.port}/", b"{}", deadline=0.5)

    assert answer.status == 200
    assert 0 < len(answer.body) < 100
    assert set(answer.body) == {ord("x")}


def test_dripped_chunks_are_cut_at_the_deadline(receive):
    receiver = receive(dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"))

    answer = outbound.post(f"http://127.0.0.1:{receiver.port}/", b"{}", deadline=0.5)

    assert answer.status == 200
    assert 0 < len(answer.body) < 100


def test_a_host_that_reads_nothing_ends_at_the_deadline(receive):
    lost_patience = threading.Event()

    def reply(receiver, connection, stream, length):
        if not receiver.stopping.wait(5):
            lost_patience.set()
        return "close"

    receiver = receive(reply)

    with pytest.raises(TimedOut):
        outbound.post(f"http://127.0.0.1:{receiver.port}/", b"x" * 20_000_000, deadline=0.5)

    assert not lost_patience.is_set()


def test_a_gzip_bomb_is_kept_as_it_came_and_cut(receive):
    bomb = b"".join(gzip.compress(bytes(10_000_000), mtime=0) for _ in range(20))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    receiver = receive(answering(head + bomb))

    answer = outbound.post(f"http://127.0.0.1:{receiver.port}/", b"{}")

    assert answer.body == bomb[:20_000]


def test_an_endless_body_is_cut(receive):
    def reply(receiver, connection, stream, length):
        stream.read(length)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):
            for _ in range(10_000):
                connection.sendall(b"y" * 10_000)
        return "close"

    receiver = receive(reply)

    answer = outbound.post(f"http://127.0.0.1:{receiver.port}/", b"{}")

    assert (answer.status, answer.body) == (200, b"y" * 20_000)


def test_a_body_of_the_greatest_length_is_kept_whole(receive):
    receiver = receive(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + b"y" * 20_000))

    answer = outbound.post(f"http://127.0.0.1:{receiver.port}/", b"{}")

    assert answer.body == b"y" * 20_000


@pytest.mark.parametrize(
    "reply",
    [
        answering(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 5_000, "close"),
        answering(b"HTTP/1.1 200 OK\r\n" + (b"X-A: " + b"b" * 60_000 + b"\r\n") * 3 + b"\r\n", "close"),
        answering(b"SSH-2.0-OpenSSH_9.2\r\n", "close"),
        answering(b"", "close"),
        answering(b"HTTP/1.1 103 Early Hints\r\n\r\n", "close"),
    ],
    ids=["headers without end", "long headers", "another protocol", "nothing", "nothing final"],
)
def test_what_is_not_an_answer_is_an_error_of_protocol(receive, reply):
    receiver = receive(reply)

    with pytest.raises(ProtocolError) as failure:
        outbound.post(f"http://127.0.0.1:{receiver.port}/", b"{}")

    assert failure.value.kind == "protocol"


def test_an_answer_given_before_the_body_was_read_counts(receive):
    def reply(receiver, connection, stream, length):
        connection.sendall(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")
        return "close"

    receiver = receive(reply)

    answer = outbound.post(f"http://127.0.0.1:{receiver.port}/", b"x" * 20_000_000)

    assert answer.status == 410
