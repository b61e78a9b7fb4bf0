"""Tells workers that rows are waiting. Only a nudge: the sweep finds the same rows without it."""

from __future__ import annotations

import threading
import time

import structlog
from django.db import transaction

log = structlog.get_logger(__name__)

PAUSE = 1.0  # at most one ring a second for each task and process
_last: dict[str, float] = {}
_lock = threading.Lock()


def ring(task: str) -> None:
    """Wake whoever runs `task` once the current transaction has committed."""
    transaction.on_commit(lambda: ring_now(task), robust=True)


def ring_now(task: str) -> bool:
    """Publish at most once a second, wait at most a second for the broker, and never raise."""
    with _lock:
        now = time.monotonic()
        if now - _last.get(task, 0.0) < PAUSE:
            return False
        _last[task] = now
    from pipelime.celery import app  # Celery reads settings, which import this package's siblings

    try:
        app.send_task(task, expires=30, retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001  whatever the broker does, the row is safe
        log.warning("doorbell.unheard", task=task, error=str(error))
        return False
    return True
