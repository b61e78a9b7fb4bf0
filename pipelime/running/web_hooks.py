"""gunicorn's configuration under bin/up: its workers die with their parent, and warm up while they wait."""

from __future__ import annotations

import importlib
import threading
from typing import Any

from pipelime.running.supervisor import die_with_parent


def post_fork(server: Any, worker: Any) -> None:
    die_with_parent(worker.ppid)()


def post_worker_init(worker: Any) -> None:
    """The map of all pages takes a second to import: before the first request, not in it."""
    threading.Thread(target=importlib.import_module, args=("pipelime.urls",), daemon=True).start()
