"""Redis hangs, is full, or is killed: the API takes what it is given, and the work goes on afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.end_to_end.installation import Installation, OwnRedis, installed, wait_until

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="an embedded installation has no Redis"),
]


@pytest.fixture
def installation(tmp_path) -> Iterator[tuple[Installation, OwnRedis]]:
    with installed(tmp_path) as running:
        yield running


def hang(redis: OwnRedis) -> Callable[[], object]:
    redis.server.send_signal(signal.SIGSTOP)
    return lambda: redis.server.send_signal(signal.SIGCONT)


def fill(redis: OwnRedis) -> Callable[[], object]:
    assert redis.command(b"CONFIG SET maxmemory 1") == b"+OK\r\n"
    return lambda: redis.command(b"CONFIG SET maxmemory 0")


def kill(redis: OwnRedis) -> Callable[[], object]:
    redis.kill()
    return redis.start


def test_without_redis_nothing_is_refused_and_with_it_again_nothing_is_missing(installation, tmp_path):
    up, redis = installation
    up.create_account()
    file = tmp_path / "people.csv"

    for break_it in (hang, fill, kill):
        name = break_it.__name__
        file.write_text(f"First name,E-mail\nGrace,grace@{name}.example\n")
        repair = break_it(redis)
        created = up.post("/api/contacts", {"email": f"ada@{name}.example"})  # raises unless it is taken
        job = up.upload("/api/contacts/import", file)
        repair()

        assert up.get(f"/api/contacts/{created['id']}")["email"] == f"ada@{name}.example"
        wait_until(
            lambda job=job: up.get(f"/api/imports/{job['id']}")["status"] == "done",
            seconds=60,
            what=lambda job=job: up.get(f"/api/imports/{job['id']}"),
        )
        assert up.get(f"/api/contacts?search=grace@{name}.example")["data"][0]["first_name"] == "Grace"
