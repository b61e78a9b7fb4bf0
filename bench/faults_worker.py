"""A program for bench/faults: forks Celery workers, ready at once, until they are killed.

It prints the process id of each worker that a line of its standard input asks for.
"""

from __future__ import annotations

import os
import signal
import sys

import django

from pipelime.running.programs import worker
from pipelime.running.supervisor import die_with_parent


def main() -> None:
    django.setup()
    from pipelime.celery import app

    app.loader.import_default_modules()
    app.finalize()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the killed ones leave no zombies
    nursery = os.getpid()
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(2, 1)  # the pipe is for process ids
            die_with_parent(nursery)()
            app.worker_main([*words(), "--hostname", f"herd-{os.getpid()}@localhost"])
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def words() -> list[str]:
    """What an installation's own worker is started with, from "worker" on."""
    command = worker()
    return command[command.index("worker") :]


if __name__ == "__main__":
    main()
