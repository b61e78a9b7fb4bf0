"""An installation as an operator starts it: `bin/up` in a folder of its own, driven over HTTP and signals."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import pytest

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"


DATABASE = "pipelime.sqlite3"


@cache
def migrated_database() -> Path:
    """An empty database, made once: only the tests of the first start need to see one being made."""
    folder = Path(tempfile.mkdtemp(prefix="pipelime-"))
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "USER")}
    environment = {**kept, "PIPELIME_DATA": str(folder)}
    subprocess.run(["bin/manage", "migrate", "--verbosity=0"], cwd=ROOT, env=environment, check=True)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / DATABASE


class Installation:
    """Starts `bin/up --no-demo`; leaving the `with` sends it SIGTERM and waits for its end."""

    def __init__(self, folder: Path, *, database_url: str = "", broker_url: str = "", settings: str = ""):
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "USER")},
            "PORT": str(self.port),
            "PIPELIME_DATA": str(folder),
            "PIPELIME_OUTBOUND_ALLOW": "127.0.0.1",
        }
        if database_url:
            self.environment["DATABASE_URL"] = database_url
        if broker_url:
            self.environment["BROKER_URL"] = broker_url
        if settings:
            self.environment["DJANGO_SETTINGS_MODULE"] = settings
        self.process: subprocess.Popen | None = None
        self.key = ""

    def __enter__(self) -> Self:
        if "DATABASE_URL" not in self.environment:
            shutil.copy(migrated_database(), self.folder / DATABASE)
        with (self.folder / "up.out").open("wb") as output:
            self.process = subprocess.Popen(
                ["bin/up", "--no-demo"],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_until(self.answers, seconds=120, what=(self.folder / "up.out").read_text)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(40)

    def answers(self) -> bool:
        try:
            return self.get("/healthz") == {"status": "ok"}
        except OSError:
            return False

    def manage(self, *arguments: str, given: bytes = b"") -> str:
        """What the command says, when `given` is what it reads."""
        done = subprocess.run(
            ["bin/manage", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=given,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def create_account(self, name: str = "Loretta", email: str = "ada@example.com") -> dict[str, Any]:
        """Its first key is the one that this installation is then asked with."""
        made = json.loads(
            self.manage("create_account", name, "--email", email, "--password", PASSWORD, "--json")
        )
        self.key = made["api_key"]
        return made

    def mails_to(self, address: str) -> list[EmailMessage]:
        """What its own mail sink has taken for an address, the oldest first."""
        taken = [file.read_bytes() for file in sorted((self.folder / "mailsink").glob("[!.]*.eml"))]
        mails = [message_from_bytes(mail, policy=policy.default) for mail in taken]
        return [mail for mail in mails if mail["X-Envelope-To"] == address]

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self.call(
            "POST", path, json.dumps(body if body is not None else {}).encode(), "application/json"
        )

    def patch(self, path: str, body: Any) -> Any:
        return self.call("PATCH", path, json.dumps(body).encode(), "application/json")

    def upload(self, path: str, file: Path, **fields: str) -> Any:
        boundary = uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
        body = b"".join([*parts, head.encode(), file.read_bytes(), f"\r\n--{boundary}--\r\n".encode()])
        return self.call("POST", path, body, f"multipart/form-data; boundary={boundary}")

    def call(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Any:
        headers = {"Content-Type": kind} if kind else {}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            if error.code == 429:  # a client that reads tens of thousands of rows must expect to wait
                time.sleep(int(error.headers["Retry-After"]))
                return self.call(method, path, body, kind)
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def every(self, path: str) -> list[dict]:
        """All rows of a list, page by page."""
        rows: list[dict] = []
        cursor, mark = "", "&" if "?" in path else "?"
        while True:
            page = self.get(f"{path}{mark}limit=100{cursor}")
            rows += page["data"]
            if not page["pagination"]["has_more"]:
                return rows
            cursor = f"&cursor={page['pagination']['next_cursor']}"

    def worker_group(self) -> int | None:
        """The process group of the running worker, or None while there is none."""
        assert self.process is not None
        for pid in descendants(self.process.pid):
            words = command_line(pid)
            if "celery" in words and "worker" in words:
                return os.getpgid(pid)
        return None

    def kill_worker(self) -> None:
        """SIGKILL to the worker's whole process group; returns when another one runs."""
        wait_until(lambda: self.worker_group() is not None, seconds=30)
        group = self.worker_group()
        assert group is not None
        assert group != os.getpgrp()
        os.killpg(group, signal.SIGKILL)
        wait_until(lambda: self.worker_group() not in (None, group), seconds=30)


class OwnRedis:
    """A Redis of the test's own, so that FLUSHALL empties nobody else's."""

    def __init__(self, stack: ExitStack):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()
        stack.callback(self.kill)

    def start(self) -> None:
        """Empty, and answering."""
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self.server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        wait_until(self.answers, seconds=10)

    def kill(self) -> None:
        self.server.kill()
        self.server.wait(10)

    def answers(self) -> bool:
        try:
            return self.command(b"PING") == b"+PONG\r\n"
        except OSError:
            return False

    def command(self, word: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(word + b"\r\n")
            return connection.recv(64)


@contextmanager
def installed(folder: Path, *, settings: str = "") -> Iterator[tuple[Installation, OwnRedis | None]]:
    """On whatever services this run of the suite is for: SQLite and files, or PostgreSQL and Redis."""
    with ExitStack() as stack:
        redis, database = None, ""
        if os.environ.get("DATABASE_URL"):
            database = own_database(os.environ["DATABASE_URL"], stack)
            if not has_redis_server():
                pytest.skip("redis-server is not installed, and FLUSHALL on a shared one would hurt others")
            redis = OwnRedis(stack)
        broker = redis.url if redis else ""
        up = Installation(folder, database_url=database, broker_url=broker, settings=settings)
        yield stack.enter_context(up), redis


def own_database(server: str, stack: ExitStack) -> str:
    """A fresh database on the server, dropped when the stack closes."""
    import psycopg

    base, _, _ = server.rpartition("/")
    name = f"pipelime_e2e_{uuid4().hex[:12]}"

    def run(statement: str) -> None:
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute(statement)

    run(f'CREATE DATABASE "{name}"')
    stack.callback(run, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    return f"{base}/{name}"


def has_redis_server() -> bool:
    return shutil.which("redis-server") is not None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(condition: Callable[[], Any], *, seconds: float, what: Callable[[], Any] = lambda: "") -> None:
    """Polls; gives up after `seconds` with whatever `what` says then."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError(f"not within {seconds} s: {what()}")
        time.sleep(0.2)


def descendants(pid: int) -> list[int]:
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                children = [int(word) for word in task.read_text().split()]
            except OSError:
                continue
            found += children
            todo += children
    return found


def command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []
