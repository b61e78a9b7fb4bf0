"""One connection for many requests."""

import itertools
import socket

import pytest

from pipelime import outbound
from pipelime.outbound import (
    Refused,
    TimedOut,
)
from tests.pipelime.outbound.receiver import OK, answering, certified


@pytest.mark.parametrize("secure", [False, True])
def test_a_kept_connection_serves_many_posts(receive, names, authority, secure):
    receiver = receive(answering(OK), certified(authority, "hook.example") if secure else None)
    scheme = "https" if secure else "http"

    with outbound.session(f"{scheme}://hook.example:{receiver.port}/") as connection:
        answers = [connection.post(b"%d" % n) for n in range(20)]

    assert [(answer.status, answer.body) for answer in answers] == [(200, b"ok")] * 20
    assert (receiver.accepted, len(receiver.requests)) == (1, 20)


def test_each_of_many_posts_may_go_to_another_path_of_the_host(receive):
    receiver = receive(answering(OK))
    host = f"http://127.0.0.1:{receiver.port}"

    with outbound.session(host) as connection:
        outbound.post(f"{host}/a", b"", keep=connection)
        outbound.post(f"{host}/b", b"", keep=connection)
        with pytest.raises(ValueError, match=r"not to 127\.0\.0\.1:1"):
            outbound.post("http://127.0.0.1:1/", b"", keep=connection)

    assert [head.split(b" ")[1] for head in receiver.requests] == [b"/a", b"/b"]
    assert receiver.accepted == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
    ids=["no content", "empty", "chunked", "continue"],
)
def test_a_complete_answer_of_any_framing_keeps_the_connection(receive, payload):
    receiver = receive(answering(payload))

    with outbound.session(f"http://127.0.0.1:{receiver.port}/") as connection:
        statuses = {connection.post(b"{}").status for _ in range(3)}

    assert len(statuses) == 1
    assert receiver.accepted == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n" + b"y" * 30_000,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
    ids=["cut", "close", "http/1.0"],
)
def test_an_answer_that_cannot_be_followed_by_another_closes_the_connection(receive, payload):
    receiver = receive(answering(payload))

    with outbound.session(f"http://127.0.0.1:{receiver.port}/") as connection:
        statuses = [connection.post(b"{}").status for _ in range(2)]

    assert statuses == [200, 200]
    assert receiver.accepted == 2


def test_a_connection_that_the_host_closed_is_opened_anew(receive):
    receiver = receive(answering(OK, "close"))

    with outbound.session(f"http://127.0.0.1:{receiver.port}/") as connection:
        answers = [connection.post(b"{}").status for _ in range(3)]

    assert answers == [200, 200, 200]
    assert receiver.accepted == 3


def test_a_kept_connection_that_drops_a_request_unanswered_is_replaced_once(receive):
    turns = itertools.count()

    def reply(receiver, connection, stream, length):
        stream.read(length)
        if next(turns) == 1:
            return "close"
        connection.sendall(OK)
        return None

    receiver = receive(reply)

    with outbound.session(f"http://127.0.0.1:{receiver.port}/") as connection:
        answers = [connection.post(b"{}").status for _ in range(2)]

    assert answers == [200, 200]
    assert (receiver.accepted, len(receiver.requests)) == (2, 3)


def test_a_connection_is_judged_anew_when_it_reconnects(receive, monkeypatch):
    rounds = iter([["127.0.0.1"], ["10.0.0.1"]])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **kwargs: [(2, 1, 6, "", (ip, port)) for ip in next(rounds)]
    )
    receiver = receive(answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))

    with outbound.session(f"http://rebinding.example:{receiver.port}/") as connection:
        connection.post(b"{}")
        with pytest.raises(Refused):
            connection.post(b"{}")

    assert receiver.accepted == 1


def test_a_failed_post_does_not_spoil_the_next(receive):
    turns = itertools.count()

    def reply(receiver, connection, stream, length):
        stream.read(length)
        if next(turns) == 0:
            receiver.stopping.wait(0.6)
            return "close"
        connection.sendall(OK)
        return None

    receiver = receive(reply)

    with outbound.session(f"http://127.0.0.1:{receiver.port}/") as connection:
        with pytest.raises(TimedOut):
            connection.post(b"1", deadline=0.2)
        answer = connection.post(b"2")

    assert (answer.status, answer.body) == (200, b"ok")


def test_a_connection_whose_answer_was_cut_is_not_used_again(receive):
    after_the_cut = []

    def reply(receiver, connection, stream, length):
        stream.read(length)
        if receiver.accepted > 1:
            connection.sendall(OK)
            return None
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        after_the_cut.append(stream.read(1))
        return "close"

    receiver = receive(reply)

    with outbound.session(f"http://127.0.0.1:{receiver.port}/") as connection:
        answers = [connection.post(b"{}", deadline=0.3).body for _ in range(2)]

    assert answers == [b"x", b"ok"]
    assert after_the_cut == [b""]
