"""Two pieces of work whose transactions overlap: the second begins before the first has committed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from django.db import connections, transaction

from pipelime.scope import account_scope

LONG_ENOUGH = 0.3  # seconds in which the second has surely come to where it must wait


def overlap(account: Any, first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """What both returned. `first` commits only when `second` has ended or waits for it."""
    written, may_commit = threading.Event(), threading.Event()

    def begin() -> Any:
        with transaction.atomic():
            result = first()
            written.set()
            may_commit.wait(10)
        return result

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(in_scope, account, begin)
        wait_for(written, one)
        two = pool.submit(in_scope, account, second)
        wait([two], timeout=LONG_ENOUGH)
        may_commit.set()
        return one.result(30), two.result(30)


def wait_for(written: threading.Event, work: Any) -> None:
    while not written.wait(0.05):
        if work.done():
            work.result()
            raise AssertionError("the first ended before it had written anything")


def in_scope(account: Any, work: Callable[[], Any]) -> Any:
    """Run in a thread, with a connection of its own that is closed afterwards."""
    try:
        with account_scope(account):
            return work()
    finally:
        connections.close_all()


def all_at_once(account: Any, works: list[Callable[[], Any]]) -> list[Any]:
    """What each returned, run in threads that start together."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        start.wait(10)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(in_scope, account, lambda work=work: run(work)) for work in works]
        return [one.result(60) for one in running]
