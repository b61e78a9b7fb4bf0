"""Counting requests and log-ins."""

import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
import time_machine
from django.db import connections

from pipelime.accounts.models import Account
from pipelime.api import limits


@pytest.fixture
def broken_redis(settings, monkeypatch):
    """A Redis that refuses every call."""

    def refuse(url):
        def call(**kwargs):
            raise redis.ConnectionError("connection refused")

        return call

    settings.COUNTERS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(limits, "script", refuse)
    monkeypatch.setattr(limits, "_broken_until", [0.0])


@time_machine.travel("2030-01-01T00:00:20Z", tick=False)
def test_the_headers_count_down(native):
    native.get("/api/contacts")

    answer = native.get("/api/contacts")

    assert answer.headers["X-RateLimit-Limit"] == "600"
    assert answer.headers["X-RateLimit-Remaining"] == "598"
    assert answer.headers["X-RateLimit-Reset"] == "1893456060"


@time_machine.travel("2030-01-01T00:00:20Z", tick=False)
def test_one_request_too_many_is_429_until_the_minute_is_over(native, account):
    Account.objects.filter(pk=account.pk).update(settings={"requests_per_minute": 2})
    native.get("/api/contacts")
    native.get("/api/contacts")

    refused = native.get("/api/contacts")
    with time_machine.travel("2030-01-01T00:01:00Z", tick=False):
        later = native.get("/api/contacts")

    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "RATE_LIMITED"
    assert refused.headers["Retry-After"] == "40"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert later.status_code == 200


def test_zero_means_no_limit(native, account):
    Account.objects.filter(pk=account.pk).update(settings={"requests_per_minute": 0})

    answer = native.get("/api/contacts")

    assert answer.status_code == 200
    assert "X-RateLimit-Limit" not in answer.headers


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_are_all_counted():
    def count(_):
        try:
            return limits.spend("everybody", limit=100, seconds=3600).used
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        used = sorted(threads.map(count, range(40)))

    assert used == list(range(1, 41))


def test_without_redis_requests_go_uncounted(native, broken_redis):
    answer = native.get("/api/contacts")

    assert answer.status_code == 200
    assert "X-RateLimit-Limit" not in answer.headers


def test_without_redis_nobody_logs_in(db, broken_redis):
    assert limits.login_allowed("192.0.2.1", "a@example.com") is False


@time_machine.travel("2030-01-01T00:00:00Z", tick=False)
def test_the_eleventh_attempt_in_a_quarter_of_an_hour_is_refused(db):
    attempts = [limits.login_allowed("192.0.2.1", "A@example.com") for _ in range(11)]
    elsewhere = limits.login_allowed("192.0.2.2", "a@example.com")
    with time_machine.travel("2030-01-01T00:15:00Z", tick=False):
        later = limits.login_allowed("192.0.2.1", "a@example.com")

    assert attempts == [True] * 10 + [False]
    assert elsewhere is True
    assert later is True


@time_machine.travel("2030-01-01T00:00:00Z", tick=False)
def test_addresses_of_one_ipv6_network_share_their_attempts(db):
    for number in range(10):
        limits.login_allowed(f"2001:db8::{number}", "a@example.com")

    assert limits.login_allowed("2001:db8::ffff", "a@example.com") is False
    assert limits.login_allowed("2001:db8:0:1::1", "a@example.com") is True


@pytest.fixture
def real_redis(settings, monkeypatch, tmp_path):
    """A Redis of this test's own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    path = tmp_path / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        client = redis.Redis(unix_socket_path=str(path))
        wait_for(client)
        settings.COUNTERS_URL = f"redis+unix://{path}"
        monkeypatch.setattr(limits, "script", lambda url: client.register_script(limits.COUNT))
        monkeypatch.setattr(limits, "_broken_until", [0.0])
        yield client
        client.close()
        server.terminate()


def wait_for(client: redis.Redis) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            client.ping()
        except redis.ConnectionError:
            continue
        return
    raise AssertionError("Redis did not start")


def test_redis_counts_parallel_requests_exactly_and_forgets_the_window(real_redis):
    with ThreadPoolExecutor(8) as threads:
        quotas = list(threads.map(lambda _: limits.spend("many", limit=50, seconds=60), range(200)))

    assert sorted(quota.used for quota in quotas) == list(range(1, 201))
    assert sum(not quota.exceeded for quota in quotas) == 50
    [name] = real_redis.keys("limit:many:*")
    assert 60 < real_redis.ttl(name) <= 120
