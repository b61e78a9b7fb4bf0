"""Requests over real connections on loopback: deadlines, limits, TLS and kept connections."""

import gzip
import itertools
import socket
import ssl
import threading
from contextlib import suppress

import pytest
import trustme

from pipelime import outbound
from pipelime.outbound import ProtocolError, Refused, TimedOut, TlsFailed, dialing

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FOR_EVER = 400  # drips of 0.05 s: far beyond any deadline here, yet a failing test comes to an end


class Receiver:
    """An HTTP server that answers each request as a test says, and remembers what came."""

    def __init__(self, reply, tls=None):
        self.reply, self.tls = reply, tls
        self.requests: list[bytes] = []
        self.accepted = 0
        self.stopping = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.stopping.is_set():
                connection.close()
                return
            self.accepted += 1
            with suppress(OSError), connection:
                self.serve(connection)

    def serve(self, connection):
        connection.settimeout(10)
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as stream:
            while head := b"".join(iter(stream.readline, b"\r\n")):
                fields = dict(line.split(b": ", 1) for line in head.lower().splitlines()[1:])
                length = int(fields.get(b"content-length", b"0"))
                self.requests.append(head)
                if self.reply(self, connection, stream, length) == "close":
                    return

    def stop(self):
        self.stopping.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self.thread.join(5)
        self.listener.close()


def answering(payload, then=None):
    def reply(receiver, connection, stream, length):
        stream.read(length)
        connection.sendall(payload)
        return then

    return reply


def dripping(start, drip):
    def reply(receiver, connection, stream, length):
        stream.read(length)
        connection.sendall(start)
        for _ in range(FOR_EVER):
            if receiver.stopping.wait(0.05):
                break
            connection.sendall(drip)
        return "close"

    return reply


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


def certified(authority, *names) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def test_a_post_arrives_as_it_was_meant(receive, names):
    bodies = []

    def reply(receiver, connection, stream, length):
        bodies.append(stream.read(length))
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nRetry-After: 7\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\nok")

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
    def reply(receiver, connection, stream, length):
        receiver.stopping.wait(10)
        return "close"

    receiver = receive(reply)

    with pytest.raises(TimedOut):
        outbound.post(f"http://127.0.0.1:{receiver.port}/", b"x" * 20_000_000, deadline=0.5)


def test_a_silent_tls_handshake_ends_at_the_deadline(settings):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{port}"]

        with pytest.raises(TimedOut):
            outbound.post(f"https://127.0.0.1:{port}/", b"{}", deadline=0.5)


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
