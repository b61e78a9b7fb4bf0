"""Celery entry point: a bell means that rows may be due; the rows say which."""

from __future__ import annotations

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from pipelime.doorbell import ring_now
from pipelime.ledger import release_expired
from pipelime.scope import every_account
from webhooks.dispatching import Dispatcher
from webhooks.models import Delivery
from webhooks.subscribing import BELL

RUN_SECONDS = 50.0  # then another task of the same worker has its turn
_asked = threading.Event()
_running = threading.Lock()
_dispatchers: list[Dispatcher] = []


@shared_task
def deliver_due() -> None:
    """Deliver until nothing is due. One run a process: a bell during it makes that run look again.

    Asking comes before trying the lock, and the lock is left before asking is read again, so that no
    bell falls between.
    """
    _asked.set()
    for dispatcher in tuple(_dispatchers):  # another thread may add one
        dispatcher.wake()
    while _asked.is_set() and _running.acquire(blocking=False):
        try:
            _asked.clear()
            run()
        finally:
            _running.release()


def run() -> None:
    dispatcher = Dispatcher()
    _dispatchers.append(dispatcher)
    try:
        with every_account():
            release_expired(Delivery)
            everything_done = dispatcher.run(RUN_SECONDS)
    finally:
        _dispatchers.remove(dispatcher)
    if not everything_done:
        ring_now(BELL)


@worker_shutting_down.connect
def stop_delivering(**kwargs: Any) -> None:
    """A worker that is told to end gives back what it has not begun."""
    for dispatcher in tuple(_dispatchers):  # another thread may add one
        dispatcher.stop()
