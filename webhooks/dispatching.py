"""Delivering in one process: one thread claims, others talk, and hung receivers hold up nobody."""

from __future__ import annotations

import threading
import time
from queue import SimpleQueue

import structlog
from django.db import connections

from pipelime.scope import every_account
from webhooks.claiming import Claim, claim_next
from webhooks.delivery import Batch

log = structlog.get_logger(__name__)

TALKING = 8  # batches at once, not counting those that
PATIENCE = 1.0  # seconds and longer have waited for an answer: these cost a thread and nothing else
THREADS = 32
FAILING = THREADS // 2
LOOK_EVERY = 0.25


class Dispatcher:
    """Runs in one thread at a time; `wake` and `stop` may be called by any."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Batch | None] = SimpleQueue()
        self._under_way: dict[Batch, bool] = {}  # whether its endpoint was failing
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._stopping = False
        self.attempted = 0

    def run(self, seconds: float) -> bool:
        """Deliver until nothing is due, True, or the time is up, False. Every batch has ended then."""
        until = time.monotonic() + seconds
        try:
            while not self._stopping and time.monotonic() < until:
                if not self._start_one() and not self._pause():
                    return True
            return False
        finally:
            self._end()

    def wake(self) -> None:
        """Look again at once: rows have come, or a thread is free."""
        self._woken.set()

    def stop(self) -> None:
        self._stopping = True
        self.wake()

    def _start_one(self) -> bool:
        """Claim and hand over one batch; False when nothing is due or there is no room."""
        self._woken.clear()
        failing = False
        claim = claim_next() if self._has_room() else None
        if claim is None and self._has_room(failing=True):
            failing, claim = True, claim_next(failing=True)
        if claim is not None:
            self._start(claim, failing=failing)
        return claim is not None

    def _has_room(self, *, failing: bool = False) -> bool:
        with self._lock:
            batches = dict(self._under_way)
        talking = sum(not is_stuck(batch) for batch in batches)
        room = talking < TALKING and len(batches) < THREADS
        return room and (not failing or sum(batches.values()) < FAILING)

    def _start(self, claim: Claim, *, failing: bool) -> None:
        with self._lock:
            self._under_way[Batch(claim)] = failing
            batch = next(reversed(self._under_way))
            if len(self._threads) < len(self._under_way):
                thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._jobs.put(batch)

    def _pause(self) -> bool:
        """Wait for news while batches are under way; False when there are none."""
        with self._lock:
            if not self._under_way:
                return self._woken.is_set()
        self._woken.wait(LOOK_EVERY)
        return True

    def _work(self) -> None:
        try:
            while (batch := self._jobs.get()) is not None:
                self._deliver(batch)
        finally:
            connections.close_all()

    def _deliver(self, batch: Batch) -> None:
        try:
            with every_account():
                attempted = batch.deliver()
        except Exception:
            log.exception("webhooks.batch_failed", endpoint=batch.claim.endpoint.pk)
            attempted = 0
        with self._lock:
            self.attempted += attempted
            del self._under_way[batch]
        self.wake()

    def _end(self) -> None:
        with self._lock:
            batches = list(self._under_way)
        for batch in batches:
            batch.stop()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()


def is_stuck(batch: Batch) -> bool:
    since = batch.waiting_since
    return since is not None and time.monotonic() - since > PATIENCE
