"""Servers for tests, on loopback: an SMTP sink and an HTTP receiver that fail exactly as they are told."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from tests.receivers import HttpReceiver, Request

__all__ = ["Arrival", "Delay", "Drip", "Drop", "HttpReceiver", "Request", "Silence", "SmtpSink"]

END_OF_DATA = b"\r\n.\r\n"


@dataclass(frozen=True)
class Arrival:
    envelope_from: str
    recipients: tuple[str, ...]
    data: bytes


@dataclass(frozen=True)
class Drop:
    """Ends the connection instead of answering: with a FIN, or with a RST."""

    how: str = "fin"
    after: str = ""


@dataclass(frozen=True)
class Silence:
    """Never answers; the connection stays open until the client gives up or the sink is stopped."""


@dataclass(frozen=True)
class Delay:
    seconds: float
    reply: str


@dataclass(frozen=True)
class Drip:
    """Sends the reply byte by byte, so that no single wait is long but the whole is."""

    reply: str
    pause: float = 0.02


Answer = (
    str
    | Drop
    | Silence
    | Delay
    | Drip
    | Callable[[str], "Answer"]
    | Sequence["Answer"]
    | Mapping[str, "Answer"]
)

USUAL: dict[str, Answer] = {
    "greeting": "220 sink.example ESMTP",
    "HELO": "250 sink.example",
    "STARTTLS": "220 2.0.0 ready",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go ahead",
    "dot": "250 2.0.0 queued",
    "RSET": "250 2.0.0 ok",
    "NOOP": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
}


class SmtpSink:
    """Takes mail on a loopback port; `answers` replaces what it says at a verb.

    Keys: greeting, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, body (as some of it arrives), dot, RSET, QUIT.
    Values: a reply; Drop, Silence, Delay or Drip; a function of the argument; a list, one item a turn, the
    last one staying; or a mapping from an address to any of these.
    """

    def __init__(
        self,
        answers: Mapping[str, Answer] | None = None,
        *,
        extensions: Sequence[str] = ("PIPELINING", "8BITMIME"),
        logins: Mapping[str, str] | None = None,
        mechanisms: str = "PLAIN LOGIN",
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        host: str = "127.0.0.1",
        keep: bool = True,
    ):
        self.answers = {**USUAL, **(answers or {})}
        self.extensions = [*extensions, *([f"AUTH {mechanisms}"] if logins is not None else [])]
        self.logins = logins
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.keep = keep
        self.arrivals: list[Arrival] = []
        self.commands: list[str] = []
        self.count = 0
        self.connections = 0
        self.stopping = threading.Event()
        self._turns: dict[int, int] = {}
        self._live: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._listener = socket.create_server((host, 0), backlog=128)
        self.host, self.port = self._listener.getsockname()[:2]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_connections()
        for thread in list(self._threads):
            thread.join(5)

    def drop_connections(self, how: str = "fin") -> None:
        """Returns when they are gone, so that the client meets the end at its very next step."""
        with self._ended:
            live = list(self._live)
            for connection in live:
                end(connection, how)
            self._ended.wait_for(lambda: not self._live.intersection(live), timeout=5)

    def finish(self) -> None:
        """Waits until every conversation is over, so that what was recorded is complete."""
        for thread in self._threads[1:]:
            thread.join(5)

    def next_answer(self, answer: Answer, argument: str) -> str | Drop | Silence | Delay | Drip:
        while not isinstance(answer, (str, Drop, Silence, Delay, Drip)):
            if isinstance(answer, Mapping):
                answer = answer.get(address_in(argument), "250 2.1.5 ok")
            elif callable(answer):
                answer = answer(argument)
            else:
                with self._lock:
                    turn = self._turns[id(answer)] = self._turns.get(id(answer), -1) + 1
                answer = answer[min(turn, len(answer) - 1)]
        return answer

    def record(self, arrival: Arrival) -> None:
        with self._lock:
            self.count += 1
            if self.keep:
                self.arrivals.append(arrival)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self.connections += 1
                self._live.add(connection)
                self._threads = [one for one in self._threads if one.is_alive()] + [thread]
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conversation = Conversation(self, connection)
        with contextlib.suppress(OSError, EOFError):
            conversation.run()
        conversation.connection.close()
        with self._ended:
            self._live -= {connection, conversation.connection}
            self._ended.notify_all()


class Conversation:
    def __init__(self, sink: SmtpSink, connection: socket.socket):
        self.sink = sink
        self.connection = connection
        self.unread = bytearray()
        self.unsent: list[bytes] = []
        self.encrypted = False
        self.forget()

    def forget(self) -> None:
        self.envelope_from: str | None = None
        self.recipients: list[str] = []

    def run(self) -> None:
        if self.sink.implicit_tls:
            self.encrypt()
        self.answer("greeting")
        while True:
            line = self.read_line()
            verb, _, argument = line.partition(" ")
            verb = verb.upper()
            self.sink.commands.append(line)
            step = getattr(self, f"on_{verb.lower()}", None)
            if step:
                step(argument)
            else:
                self.answer(verb, argument)
            if verb == "QUIT":
                self.flush()
                return

    def on_ehlo(self, _: str) -> None:
        offers = list(self.sink.extensions)
        if self.sink.tls and not self.encrypted:
            offers.append("STARTTLS")
        lines = ["sink.example", *offers]
        reply = "\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines)
        self.answer("EHLO", default=reply)

    def on_starttls(self, _: str) -> None:
        if self.answer("STARTTLS").startswith("2") and self.sink.tls:
            self.encrypt()

    def on_auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        if "AUTH" in self.sink.answers:
            self.answer("AUTH", argument)
            return
        if mechanism.upper() == "PLAIN":
            _, username, password = b64decode(initial).decode().split("\0")
        elif mechanism.upper() == "XOAUTH2":
            user, bearer, *_ = b64decode(initial).decode().split("\x01")
            username, password = user.removeprefix("user="), bearer.removeprefix("auth=Bearer ")
        else:
            username, password = (self.ask(prompt) for prompt in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6"))
        known = (self.sink.logins or {}).get(username) == password
        if mechanism.upper() == "XOAUTH2" and not known:
            self.say("334 eyJzdGF0dXMiOiI0MDEifQ==")
            self.flush()
            self.sink.commands.append(self.read_line())
        self.say("235 2.7.0 welcome" if known else "535 5.7.8 wrong user name or password")

    def on_mail(self, argument: str) -> None:
        if self.answer("MAIL", argument).startswith("2"):
            self.forget()
            self.envelope_from = address_in(argument)

    def on_rcpt(self, argument: str) -> None:
        if self.envelope_from is None:
            self.say("503 5.5.1 MAIL first")
        elif self.answer("RCPT", argument).startswith("2"):
            self.recipients.append(address_in(argument))

    def on_rset(self, _: str) -> None:
        self.forget()
        self.answer("RSET")

    def on_data(self, _: str) -> None:
        if not self.recipients and self.sink.answers["DATA"] == USUAL["DATA"]:
            self.say("554 5.5.1 no valid recipients")
            return
        if self.answer("DATA").startswith("3"):
            self.flush()
            data = self.read_data()
            answer = self.sink.next_answer(self.sink.answers["dot"], "")
            arrival = Arrival(self.envelope_from or "", tuple(self.recipients), data)
            if not (isinstance(answer, str) and answer[0] in "45"):
                self.sink.record(arrival)
            self.forget()
            self.act(answer)

    def ask(self, prompt: str) -> str:
        self.say(f"334 {prompt}")
        return b64decode(self.read_line()).decode()

    def answer(self, verb: str, argument: str = "", default: str = "502 5.5.1 not known here") -> str:
        answer = self.sink.next_answer(self.sink.answers.get(verb, default), argument)
        self.act(answer)
        return answer if isinstance(answer, str) else getattr(answer, "reply", "")

    def act(self, answer: str | Drop | Silence | Delay | Drip) -> None:
        if isinstance(answer, str):
            self.say(answer)
            return
        self.flush()
        if isinstance(answer, Silence):
            while self.connection.recv(65_536):
                pass
            raise EOFError
        if isinstance(answer, Drop):
            self.connection.sendall(answer.after.encode())
            end(self.connection, answer.how)
            raise EOFError
        if isinstance(answer, Delay):
            self.sink.stopping.wait(answer.seconds)
            self.say(answer.reply)
            return
        for byte in f"{answer.reply}\r\n".encode():
            self.sink.stopping.wait(answer.pause)
            self.connection.sendall(bytes([byte]))

    def say(self, reply: str) -> None:
        self.unsent.append(reply.encode() + b"\r\n")

    def flush(self) -> None:
        if self.unsent:
            waiting, self.unsent = b"".join(self.unsent), []
            self.connection.sendall(waiting)

    def read_line(self) -> str:
        while (stop := self.unread.find(b"\r\n")) < 0:
            self.receive()
        line = self.unread[:stop].decode("latin-1")
        del self.unread[: stop + 2]
        return line

    def read_data(self) -> bytes:
        seen = 0
        self.unread[:0] = b"\r\n"  # so that an end right at the start is found too
        while (stop := self.unread.find(END_OF_DATA, seen)) < 0:
            seen = max(0, len(self.unread) - len(END_OF_DATA))
            self.receive()
            if "body" in self.sink.answers:
                self.act(self.sink.next_answer(self.sink.answers["body"], ""))
        data = bytes(self.unread[2 : stop + 2])
        del self.unread[: stop + len(END_OF_DATA)]
        data = data[1:] if data.startswith(b"..") else data
        return data.replace(b"\r\n..", b"\r\n.")

    def receive(self) -> None:
        self.flush()
        data = self.connection.recv(65_536)
        if not data:
            raise EOFError
        self.unread += data

    def encrypt(self) -> None:
        self.flush()
        assert self.sink.tls
        plain, self.connection = self.connection, self.sink.tls.wrap_socket(self.connection, server_side=True)
        with self.sink._lock:
            self.sink._live.discard(plain)
            self.sink._live.add(self.connection)
        self.encrypted = True


def address_in(argument: str) -> str:
    return argument.partition("<")[2].rpartition(">")[0]


def end(connection: socket.socket, how: str) -> None:
    """Wakes the thread that reads from it, whose close then sends a RST where nothing may linger."""
    with contextlib.suppress(OSError):
        if how == "rst":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RD)
        else:
            connection.shutdown(socket.SHUT_RDWR)
