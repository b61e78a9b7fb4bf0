"""A program for tests: forks workers that send what is due until they are killed.

It prints the process id of each worker that a line of its standard input asks for. The database, the
lease and where mail may go come by the environment; see tests/outreach/test_killing.py.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta

import django


def prepare() -> None:
    django.setup()
    from django.conf import settings
    from django.db import connections

    from outreach import tasks

    connections["default"].settings_dict["NAME"] = os.environ["TEST_DATABASE"]
    settings.LEASE = timedelta(seconds=float(os.environ["TEST_LEASE"]))
    tasks.ring_now = lambda task: True  # no broker: every worker looks by itself


def work() -> None:
    from django.db import connections

    from outreach.tasks import send_due

    options = connections["default"].settings_dict["OPTIONS"]
    if connections["default"].vendor == "postgresql":
        options["application_name"] = f"worker {os.getpid()}"  # by which a test sees what it is doing
    while os.getppid() != 1:
        if not send_due():
            time.sleep(0.05)


def main() -> None:
    prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the killed ones leave no zombies
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
