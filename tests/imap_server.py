"""An IMAP server for tests: folders in memory, a thread, and as much of the protocol as we speak."""

from __future__ import annotations

import re
import socketserver
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.parser import BytesHeaderParser

PARTIAL = re.compile(r"<0\.(\d+)>")
END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


@dataclass
class Folder:
    flags: str = ""
    uid_validity: int = 7
    messages: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    came: dict[int, date] = field(default_factory=dict)

    def put(self, content: bytes, on: date | None = None) -> int:
        uid = max(self.messages, default=0) + 1
        self.messages[uid], self.came[uid] = content, on or datetime.now(UTC).date()
        return uid


class Mailbox(socketserver.ThreadingTCPServer):
    """`messages`, `seen` and `uid_validity` are the INBOX's. `broken` holds uids whose fetching fails."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.folders = {"INBOX": Folder()}
        self.commands: list[str] = []
        self.login = "leads@example.com"
        self.password = "secret"
        self.broken: set[int] = set()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f"imap://leads%40example.com:{self.password}@127.0.0.1:{self.port}/INBOX"

    @property
    def inbox(self) -> Folder:
        return self.folders["INBOX"]

    @property
    def messages(self) -> dict[int, bytes]:
        return self.inbox.messages

    @messages.setter
    def messages(self, messages: dict[int, bytes]) -> None:
        self.inbox.messages = messages

    @property
    def seen(self) -> set[int]:
        return self.inbox.seen

    @seen.setter
    def seen(self, seen: set[int]) -> None:
        self.inbox.seen = seen

    @property
    def uid_validity(self) -> int:
        return self.inbox.uid_validity

    @uid_validity.setter
    def uid_validity(self, number: int) -> None:
        self.inbox.uid_validity = number

    def put(self, content: bytes, on: date | None = None) -> int:
        return self.inbox.put(content, on)


class Session(socketserver.StreamRequestHandler):
    server: Mailbox
    folder: Folder
    status = b"OK done"

    def handle(self) -> None:
        self.say(b"* OK ready")
        for line in self.rfile:
            tag, _, rest = line.rstrip(b"\r\n").partition(b" ")
            self.server.commands.append(rest.decode())
            verb, _, words = rest.partition(b" ")
            if verb.upper() == b"UID":
                verb, _, words = words.partition(b" ")
            self.status = b"OK done"
            getattr(self, verb.decode().lower())(words.decode())
            self.say(tag + b" " + self.status)
            if verb.upper() == b"LOGOUT":
                return

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def capability(self, words: str) -> None:
        self.say(b"* CAPABILITY IMAP4rev1 SPECIAL-USE")

    def login(self, words: str) -> None:
        known = (
            f'{self.server.login} "{self.server.password}"',
            f'"{self.server.login}" "{self.server.password}"',
        )
        self.status = b"OK done" if words in known else b"NO who are you"

    def authenticate(self, words: str) -> None:
        """XOAUTH2; a refusal comes as a challenge, which the client answers with nothing."""
        assert words == "XOAUTH2"
        self.say(b"+ ")
        user, bearer, *_ = b64decode(self.rfile.readline()).decode().split("\x01")
        if (user, bearer) != (f"user={self.server.login}", f"auth=Bearer {self.server.password}"):
            self.say(b"+ eyJzdGF0dXMiOiI0MDAifQ==")
            assert self.rfile.readline() == b"\r\n"
            self.status = b"NO [AUTHENTICATIONFAILED] Invalid credentials"

    def list(self, words: str) -> None:
        for name, folder in self.server.folders.items():
            self.say(f'* LIST ({folder.flags}) "/" "{name}"'.encode())

    def select(self, words: str) -> None:
        folder = self.server.folders.get(words.strip('"'))
        if folder is None:
            self.status = b"NO no such folder"
            return
        self.folder = folder
        self.say(f"* {len(folder.messages)} EXISTS".encode())
        self.say(f"* OK [UIDVALIDITY {folder.uid_validity}] valid".encode())
        self.say(f"* OK [UIDNEXT {max(folder.messages, default=0) + 1}] next".encode())

    examine = select

    def search(self, words: str) -> None:
        found = [uid for uid in sorted(self.folder.messages) if self.matches(uid, words)]
        self.say(f"* SEARCH {' '.join(map(str, found))}".rstrip().encode())

    def matches(self, uid: int, words: str) -> bool:
        kind, _, rest = words.partition(" ")
        if kind == "UNSEEN":
            return uid not in self.folder.seen
        if kind == "UID":  # n:*, a range that always holds the last one
            return uid >= int(rest.removesuffix(":*")) or uid == max(self.folder.messages)
        if kind == "SINCE":
            return self.folder.came[uid] >= datetime.strptime(rest, "%d-%b-%Y").replace(tzinfo=UTC).date()
        name, _, value = rest.partition(" ")  # HEADER, whose value only has to be in it
        header = BytesHeaderParser().parsebytes(self.folder.messages[uid]).get(name, "")
        return value.strip('"').lower() in header.lower()

    def fetch(self, words: str) -> None:
        uids, _, what = words.partition(" ")
        for uid in map(int, uids.split(",")):
            if (content := self.folder.messages.get(uid)) is not None:
                self.fetch_one(uid, content, what)

    def fetch_one(self, uid: int, content: bytes, what: str) -> None:
        size, found = f"RFC822.SIZE {len(content)}", END_OF_HEAD.search(content)
        if "BODY.PEEK[HEADER]" in what:
            head = content[: found.end()] if found else content
            self.literal(f"UID {uid} {size} BODY[HEADER]", head)
        elif "BODY.PEEK[]" not in what:
            self.say(f"* 1 FETCH (UID {uid} {size})".encode())
        elif uid in self.server.broken:
            self.status = b"NO this one is broken"
        else:
            most = PARTIAL.search(what)
            self.literal(f"UID {uid} BODY[]", content[: int(most[1])] if most else content)

    def literal(self, what: str, content: bytes) -> None:
        self.wfile.write(f"* 1 FETCH ({what} {{{len(content)}}}\r\n".encode() + content + b")\r\n")

    def store(self, words: str) -> None:
        uid, _, flags = words.partition(" ")
        assert flags == r"+FLAGS.SILENT (\Seen)"
        self.folder.seen.add(int(uid))

    def append(self, words: str) -> None:
        name, length = words.split(" ", maxsplit=1)[0].strip('"'), int(words.rpartition("{")[2].rstrip("}"))
        self.say(b"+ go on")
        self.server.folders[name].put(self.rfile.read(length))
        self.rfile.readline()

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
