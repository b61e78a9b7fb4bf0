"""Two pieces of work whose transactions overlap: the second begins before the first has committed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from django.db import transaction

from tests.threads import in_scope

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
