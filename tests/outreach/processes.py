"""Workers of tests: real processes that send what is due, and that may be killed or stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


class Workers:
    """Processes that send what is due, forked from one that has everything loaded."""

    def __init__(self, lease: float):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTEST_XDIST_WORKER": os.environ.get("PYTEST_XDIST_WORKER", "worker"),  # keep the data folder
            "PIPELIME_OUTBOUND_ALLOW": "127.0.0.1",
            "PIPELIME_LOG_LEVEL": "CRITICAL",
            "TEST_DATABASE": str(connection.settings_dict["NAME"]),
            "TEST_LEASE": str(lease),
        }
        self.alive: list[int] = []
        self.nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.outreach.mail_worker"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self) -> int:
        assert self.nursery.stdin
        assert self.nursery.stdout
        self.nursery.stdin.write("one more\n")
        self.nursery.stdin.flush()
        self.alive.append(int(self.nursery.stdout.readline()))
        return self.alive[-1]

    def kill(self, pid: int) -> None:
        self.alive.remove(pid)
        os.kill(pid, signal.SIGKILL)

    def oldest(self) -> int:
        """It may be at the server before the test has heard that it lives."""
        wait_until(lambda: bool(self.alive), 10)
        return self.alive[0]

    def pause(self, pid: int) -> None:
        """Stop it where it holds no lock: on PostgreSQL a worker in a transaction would keep its rows.

        SQLite has one writer, and the workers write nothing while they wait for the server.
        """
        for _ in range(200):
            os.kill(pid, signal.SIGSTOP)
            if not in_transaction(pid):
                return
            os.kill(pid, signal.SIGCONT)
            threading.Event().wait(0.01)
        raise AssertionError("the worker is in a transaction all the time")

    def stop(self) -> None:
        for pid in list(self.alive):
            os.kill(pid, signal.SIGCONT)
            self.kill(pid)
        self.nursery.communicate(timeout=10)


def in_transaction(pid: int) -> bool:
    """Whether this process has a transaction open in the test's database, on whatever connection."""
    if connection.vendor != "postgresql":
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(xact_start) FROM pg_stat_activity WHERE application_name = %s",
                [f"worker {pid}"],
            )
            return bool(cursor.fetchone()[0])
    finally:
        connection.close()  # it is the sink's thread that asks


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, f"not within {seconds} s"
        threading.Event().wait(0.02)
