"""Work done by several threads, each with connections of its own that are closed afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

from django.db import connections

from pipelime.scope import account_scope

Work = Callable[[], Any]


def all_at_once(works: Sequence[Work], *, account: Any = None) -> list[Any]:
    """What each returned, run in threads that start together, in the scope of an account if one is given."""
    start = threading.Barrier(len(works))

    def run(work: Work) -> Any:
        start.wait(10)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(in_scope, account, lambda work=work: run(work)) for work in works]
        return [one.result(60) for one in running]


def in_scope(account: Any, work: Work) -> Any:
    try:
        with account_scope(account) if account is not None else nullcontext():
            return work()
    finally:
        connections.close_all()
