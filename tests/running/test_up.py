"""bin/up as a person uses it: real processes, killed and stopped, on SQLite and on the services at hand."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pipelime.running.__main__ import answers
from tests.end_to_end.installation import DATABASE, migrated_database

ROOT = Path(__file__).resolve().parent.parent.parent
OPERATORS_OWN = re.compile(r"PIPELIME_|SECRET_KEY|DATABASE_URL|BROKER_URL|PORT$|HOST$|DJANGO_SETTINGS_MODULE")

pytestmark = pytest.mark.end_to_end


class Up:
    def __init__(self, data: Path, services: dict[str, str], *arguments: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        inherited = {name: value for name, value in os.environ.items() if not OPERATORS_OWN.match(name)}
        self.environment = inherited | services | {"PIPELIME_DATA": str(data), "PORT": str(self.port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipelime.running", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, last: str) -> str:
        """Everything said up to the line that begins with `last`, or to the end."""
        assert self.process.stdout
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith(last):
                break
        return "".join(said)

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return answer.status

    def pids(self) -> dict[str, int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {name_of(int(pid)): int(pid) for pid in children}

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def name_of(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_text()
    words = {"gunicorn": "web", "mailsink": "mailsink", "\0worker\0": "worker", "\0beat\0": "beat"}
    return next((name for word, name in words.items() if word in command), command)


def group_members(groups: set[int]) -> list[str]:
    """Command lines of the processes of these groups that are still running."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = status.read_text().rsplit(")", 1)[1].split()[:3]
            if int(group) in groups and state != "Z":
                found.append((status.parent / "cmdline").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start(services: dict[str, str] | None = None, *arguments: str) -> Up:
        started.append(Up(tmp_path / "var", services or {}, *arguments))
        return started[-1]

    yield start

    for one in started:
        if one.process.poll() is None:
            one.process.terminate()
            one.process.wait(timeout=60)
        if one.process.stdout:
            one.process.stdout.close()


@pytest.fixture
def services() -> Iterator[dict[str, str]]:
    """DATABASE_URL with a database of its own, and BROKER_URL, as the caller of the tests has set them."""
    database, broker = os.environ.get("DATABASE_URL"), os.environ.get("BROKER_URL")
    if not database or not broker:
        pytest.skip("DATABASE_URL and BROKER_URL are not both set")
    server, _, name = database.rpartition("/")
    scratch = f"{name}_up_{os.getpid()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{scratch}"')
    yield {"DATABASE_URL": f"{server}/{scratch}", "BROKER_URL": broker}
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{scratch}" WITH (FORCE)')


@pytest.mark.embedded
def test_the_first_start_prints_a_login_that_later_starts_keep(up, tmp_path):
    first = up()
    said = first.read_until("Ctrl-C")

    assert re.search(
        rf"Pipelime is ready: http://127\.0\.0\.1:{first.port}/\n"
        r"  login     demo@example\.com\n  password  \S{16}\n  API key   ki_\S{20,}\n",
        said,
    ), said
    assert first.get("/healthz") == 200
    assert first.stop() == 0

    second = up()
    said = second.read_until("Ctrl-C")
    assert "password" not in said
    assert f"its login is in {tmp_path / 'var' / 'secrets' / 'demo.json'}" in said


@pytest.mark.embedded
def test_every_killed_process_comes_back_and_none_is_left_behind(up, tmp_path):
    (tmp_path / "var").mkdir()
    shutil.copy(migrated_database(), tmp_path / "var" / DATABASE)
    running = up(None, "--no-demo")
    running.read_until("Ctrl-C")
    groups: set[int] = set()

    for name in ("web", "mailsink", "worker", "beat"):
        before = wait_for_all(running)
        groups |= set(before.values())
        os.kill(before[name], signal.SIGKILL)
        running.read_until(f"{name} was ended by SIGKILL")
        after = wait_for_all(running)
        assert after[name] != before[name]
        groups |= set(after.values())

    wait_until(lambda: answers(f"http://127.0.0.1:{running.port}/healthz"))
    assert running.stop() == 0
    assert group_members(groups) == []


def wait_for_all(running: Up) -> dict[str, int]:
    wait_until(lambda: set(running.pids()) == {"web", "mailsink", "worker", "beat"})
    return running.pids()


def wait_until(question: Callable[[], bool]) -> None:
    """Another program's processes cannot be waited for otherwise; the usual wait is a second."""
    limit = time.monotonic() + 60
    while not question():
        assert time.monotonic() < limit, "not within a minute"
        time.sleep(0.05)


@pytest.mark.embedded
def test_a_migration_of_an_existing_database_is_preceded_by_a_copy(up, tmp_path):
    first = up(None, "--no-demo")
    first.read_until("Ctrl-C")
    assert first.stop() == 0
    manage = [sys.executable, "-m", "pipelime.running.manage", "migrate", "api", "zero", "--verbosity=0"]
    subprocess.run(manage, cwd=ROOT, env=first.environment, check=True)

    second = up(None, "--no-demo")
    said = second.read_until("Ctrl-C")

    [copy] = (tmp_path / "var" / "backups").iterdir()
    assert said.startswith(f"Copied the database to {copy}.\nApplied ")


def test_it_runs_on_postgresql_and_redis_and_copies_no_file(up, services, tmp_path):
    running = up(services, "--no-demo")
    said = running.read_until("Ctrl-C")

    assert "Pipelime is ready" in said
    assert running.get("/readyz") == 200
    assert running.stop() == 0
    assert sorted(path.name for path in (tmp_path / "var").glob("*.sqlite3")) == []
