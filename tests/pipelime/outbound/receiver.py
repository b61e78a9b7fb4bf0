"""A scripted HTTP server on loopback."""

import itertools
import socket
import ssl
import threading
from contextlib import suppress

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
            with suppress(OSError, ValueError), connection:
                self.serve(connection)

    def serve(self, connection):
        connection.settimeout(10)
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as stream:
            while head := b"".join(
                itertools.takewhile(lambda line: line.strip(), iter(stream.readline, b""))
            ):
                fields = dict(line.split(b": ", 1) for line in head.lower().splitlines()[1:])
                length = int(fields.get(b"content-length", b"0"))
                self.requests.append(head)
                if self.reply(self, connection, stream, length) == "close":
                    return

    def stop(self):
        self.stopping.set()
        with socket.socket() as waking:
            waking.connect(("127.0.0.1", self.port))
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


def certified(authority, *names) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context
