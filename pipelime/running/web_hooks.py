"""gunicorn's configuration under bin/up: its workers, too, die with the process that started them."""

from __future__ import annotations

from typing import Any

from pipelime.running.supervisor import die_with_parent


def post_fork(server: Any, worker: Any) -> None:
    die_with_parent(worker.ppid)()
