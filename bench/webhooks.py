"""Delivers 3,000 webhooks in one thread, beside urllib3 on one kept connection signing the same bodies.

Usage: python bench/webhooks.py [deliveries]    (DATABASE_URL=postgresql:///bench measures PostgreSQL)

Both talk to the same receiver, which runs in a process of its own, and take turns of 300, so that
whatever slows the machine down slows both. Then a hundred endpoints are served at once, of which a tenth
takes requests and never answers: the others must have everything within five seconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import multiprocessing
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

GOOD, GOAL = 0.4, 0.8
SLICE = 300
ENDPOINTS, HANGING, EACH, LIMIT = 100, 10, 5, 5.0
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def prepare() -> str:
    folder = tempfile.mkdtemp(prefix="pipelime-bench-")
    os.environ |= {
        "PIPELIME_DATA": folder,
        "SECRET_KEY": "only-for-the-bench",
        "PIPELIME_KEYS": "bench:" + "A" * 43,
        "PIPELIME_OUTBOUND_ALLOW": "127.0.0.1",
        "PIPELIME_LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "pipelime.settings",
    }
    import django

    django.setup()
    return folder


def receive(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def answer(connection: socket.socket) -> None:
    """Reads what a request announces and says 204; as little as a receiver can do."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    unread = b""
    while data := connection.recv(65_536):
        unread += data
        while (end := unread.find(b"\r\n\r\n")) >= 0:
            length = int(unread[:end].lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(unread) < end + 4 + length:
                break
            unread = unread[end + 4 + length :]
            connection.sendall(ANSWER)


def make_endpoint(url: str, database: str):
    """An endpoint in an account of its own, in a database that is empty otherwise."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    drop_schema(database)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA "{database}"')
        settings.DATABASES["default"].setdefault("OPTIONS", {})["options"] = f"-c search_path={database}"
        connection.settings_dict["OPTIONS"]["options"] = f"-c search_path={database}"
        connection.close()
    call_command("migrate", verbosity=0)
    from pipelime.accounts.models import Account
    from webhooks.models import Endpoint

    account = Account.objects.create(name="Bench", slug="bench")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    return Endpoint.objects.create(account=account, url=url, events=["*"], secret=secret)


def drop_schema(database: str) -> None:
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA IF EXISTS "{database}" CASCADE')


def queue(endpoint, bodies: list[str]) -> None:
    from django.db import transaction
    from django.utils import timezone

    from pipelime.bulk import insert_rows
    from pipelime.ids import uuid7
    from webhooks.models import Delivery
    from webhooks.subscribing import COLUMNS

    now = timezone.now()
    start = (endpoint.account_id, endpoint.pk, None, "contact.created")
    rows = [(uuid7(), *start, body, "queued", now, now, 0, "", 0, "") for body in bodies]
    with transaction.atomic():
        insert_rows(Delivery, COLUMNS, rows)


def ours(endpoint, bodies: list[str]) -> float:
    """Seconds from due rows to rows that are done, with their attempts."""
    from webhooks.claiming import claim_next
    from webhooks.delivery import Batch
    from webhooks.models import Delivery

    queue(endpoint, bodies)
    before, begin = Delivery.objects.filter(state="done").count(), time.perf_counter()
    while claim := claim_next():
        Batch(claim).deliver()
    seconds = time.perf_counter() - begin
    assert Delivery.objects.filter(state="done").count() - before == len(bodies)
    return seconds


def urllib3_alone(endpoint, bodies: list[str]) -> float:
    import urllib3

    key = base64.b64decode(endpoint.secret.removeprefix("whsec_"))
    pool = urllib3.connectionpool.connection_from_url(endpoint.url, maxsize=1, retries=False)
    begin = time.perf_counter()
    for number, body in enumerate(bodies):
        timestamp, content = int(time.time()), body.encode()
        digest = hmac.digest(key, b"msg_%d.%d.%s" % (number, timestamp, content), hashlib.sha256)
        headers = {
            "content-type": "application/json",
            "webhook-id": f"msg_{number}",
            "webhook-timestamp": str(timestamp),
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }
        assert pool.request("POST", "/", body=content, headers=headers).status == 204
    seconds = time.perf_counter() - begin
    pool.close()
    return seconds


def beside_hanging(endpoint, hanging_url: str) -> float:
    """Seconds until the healthy nine tenths have everything; those that hang were there first."""
    from webhooks.dispatching import Dispatcher
    from webhooks.models import Delivery, Endpoint

    urls = [hanging_url] * HANGING + [endpoint.url] * (ENDPOINTS - HANGING)
    facts = {"account": endpoint.account, "events": ["*"], "secret": endpoint.secret}
    endpoints = [Endpoint.objects.create(url=url, **facts) for url in urls]
    healthy = [one.pk for one in endpoints[HANGING:]]
    for one in endpoints:
        queue(one, [f'{{"n":{number}}}' for number in range(EACH)])
    dispatcher, begin = Dispatcher(), time.perf_counter()
    worker = threading.Thread(target=dispatcher.run, args=(60.0,))
    worker.start()
    while Delivery.objects.filter(endpoint__in=healthy).exclude(state="done").exists():
        if time.perf_counter() - begin > 10 * LIMIT:
            break
        time.sleep(0.02)
    seconds = time.perf_counter() - begin
    dispatcher.stop()
    worker.join()
    return seconds


def main(count: int = 3000) -> None:
    folder = prepare()
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    receiver = multiprocessing.get_context("fork").Process(target=receive, args=(listener,), daemon=True)
    receiver.start()
    silent = socket.create_server(("127.0.0.1", 0), backlog=64)  # connects and never says a word
    try:
        measure(address_of(listener), address_of(silent), count)
    finally:
        receiver.kill()
        receiver.join()
        shutil.rmtree(folder, ignore_errors=True)


def address_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


def measure(url: str, hanging_url: str, count: int) -> None:
    from django.db import connection

    from pipelime.scope import every_account

    with every_account():
        endpoint = make_endpoint(url, "bench_webhooks")
        bodies = [
            f'{{"type":"contact.created","data":{{"n":{n},"text":"{"x" * 850}"}}}}' for n in range(count)
        ]
        theirs = own = 0.0
        for start in range(0, count, SLICE):
            some = bodies[start : start + SLICE]
            theirs += urllib3_alone(endpoint, some)
            own += ours(endpoint, some)
        served = beside_hanging(endpoint, hanging_url)
    drop_schema("bench_webhooks")
    print(f"{count:,} deliveries of {len(bodies[0])} bytes, {connection.vendor}, one thread")
    print(f"urllib3, one kept connection, signed: {count / theirs:7,.0f}/s")
    print(f"pipelime, ledger and attempts:        {count / own:7,.0f}/s")
    ratio = theirs / own
    verdict = "goal reached" if ratio >= GOAL else "good" if ratio >= GOOD else "TOO SLOW"
    print(f"ratio {ratio:.2f}; good {GOOD}, goal {GOAL}: {verdict}")
    verdict_beside = "kept" if served <= LIMIT else "TOO SLOW"
    print(
        f"{ENDPOINTS - HANGING} healthy endpoints with {EACH} deliveries each, beside {HANGING} that hang: "
        f"served in {served:.1f} s; limit {LIMIT:.0f} s: {verdict_beside}"
    )
    sys.exit(ratio < GOOD or served > LIMIT)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
