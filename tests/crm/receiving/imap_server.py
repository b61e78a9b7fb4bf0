"""An IMAP server for tests: one mailbox, a thread, and as much of the protocol as polling speaks."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


class Mailbox(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.messages: dict[int, bytes] = {}
        self.seen: set[int] = set()
        self.uid_validity = 7
        self.commands: list[str] = []
        self.password = "secret"

    @property
    def url(self) -> str:
        return f"imap://leads%40example.com:{self.password}@127.0.0.1:{self.server_address[1]}/INBOX"

    def put(self, content: bytes) -> int:
        uid = max(self.messages, default=0) + 1
        self.messages[uid] = content
        return uid


class Session(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.say(b"* OK ready")
        for line in self.rfile:
            tag, _, rest = line.rstrip(b"\r\n").partition(b" ")
            self.server.commands.append(rest.decode())
            verb, _, words = rest.partition(b" ")
            if verb.upper() == b"UID":
                verb, _, words = words.partition(b" ")
            getattr(self, verb.decode().lower())(words.decode())
            self.say(tag + b" " + self.status)
            if verb.upper() == b"LOGOUT":
                return

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    status = b"OK done"

    def capability(self, words: str) -> None:
        self.say(b"* CAPABILITY IMAP4rev1")

    def login(self, words: str) -> None:
        known = words == f'leads@example.com "{self.server.password}"'
        self.status = b"OK done" if known else b"NO who are you"

    def select(self, words: str) -> None:
        self.status = b"OK done"
        self.say(f"* {len(self.server.messages)} EXISTS".encode())
        self.say(f"* OK [UIDVALIDITY {self.server.uid_validity}] valid".encode())

    def search(self, words: str) -> None:
        found = sorted(self.server.messages)
        if words == "UNSEEN":
            found = [uid for uid in found if uid not in self.server.seen]
        else:  # UID n:*, a range that always holds the last one
            first = int(words.removeprefix("UID ").removesuffix(":*"))
            found = [uid for uid in found if uid >= first or uid == found[-1]]
        self.say(f"* SEARCH {' '.join(map(str, found))}".rstrip().encode())

    def fetch(self, words: str) -> None:
        uid, _, what = words.partition(" ")
        content = self.server.messages.get(int(uid))
        if content is None:
            return
        if "RFC822.SIZE" in what:
            self.say(f"* 1 FETCH (UID {uid} RFC822.SIZE {len(content)})".encode())
        else:
            self.wfile.write(
                f"* 1 FETCH (UID {uid} BODY[] {{{len(content)}}}\r\n".encode() + content + b")\r\n"
            )

    def store(self, words: str) -> None:
        uid, _, flags = words.partition(" ")
        assert flags == r"+FLAGS.SILENT (\Seen)"
        self.server.seen.add(int(uid))

    def logout(self, words: str) -> None:
        self.say(b"* BYE")


@contextmanager
def serving() -> Iterator[Mailbox]:
    with Mailbox() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
