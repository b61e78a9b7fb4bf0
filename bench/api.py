"""Requests a second of the native API beside bare views on the same rows, the same server, in the same run.

Usage: python bench/api.py [rows] [seconds a measurement]
       python bench/api.py --leads [leads] [requests a measurement]   as bench/leads does
Makes its own SQLite files in a temporary folder. With DATABASE_URL it uses that database, which must be
empty; with BROKER_URL on Redis the limit is counted there, as in production.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing import Process, Queue
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
CONNECTIONS, ROUNDS = 8, 9
WRK = shutil.which("wrk")
NEW_LEAD = b'{"title": "New", "amount": 1250.5}'


class Target(NamedTuple):
    name: str
    bare: str
    ours: str
    good: float
    goal: float
    body: bytes = b""


def prepare(folder: Path) -> None:
    os.environ.update(
        PIPELIME_DATA=str(folder),
        SECRET_KEY="only-for-this-benchmark",
        PIPELIME_KEYS="bench:" + "A" * 43,
        DJANGO_SETTINGS_MODULE="bench.api_server",
        PYTHONPATH=str(ROOT),
    )
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    for alias in settings.DATABASES:
        call_command("migrate", database=alias, verbosity=0)
        call_command("createcachetable", database=alias, verbosity=0)
    (folder / "static").mkdir(exist_ok=True)


def fill(rows: int) -> tuple[str, str]:
    """An account with contacts, companies, tags and leads. Returns its API key and one lead's id."""
    from crm.opening import open_account
    from pipelime.accounts.models import Account
    from pipelime.scope import account_scope

    if Account.objects.exists():
        sys.exit("The database is not empty: give this benchmark one of its own.")
    opened = open_account("Bench", email="bench@example.com", password="correct horse battery")
    Account.objects.filter(pk=opened.account.pk).update(settings={"requests_per_minute": 100_000_000})
    with account_scope(opened.account):
        people = make_people(opened.account, rows)
        lead = make_leads(opened.account, opened.user, people)
    return opened.raw_key, lead


def make_people(account: Any, rows: int) -> list[Any]:
    from crm.models import Company, Contact, Tag

    companies = Company.objects.bulk_create(
        [Company(account=account, name=f"Company {n}", name_key=f"company {n}") for n in range(rows // 10)],
        batch_size=1000,
    )
    tags = Tag.objects.bulk_create(
        [Tag(account=account, name=f"tag {n}", name_key=f"tag {n}") for n in range(20)]
    )
    people = Contact.objects.bulk_create(
        [
            Contact(
                account=account,
                first_name="Ada",
                last_name=f"Lovelace {n}",
                company=companies[n % len(companies)],
                job_title="Analyst",
                phone="+44 20 7946 0000",
                location="London",
            )
            for n in range(rows)
        ],
        batch_size=1000,
    )
    give_addresses(account, people)
    give_tags(people, tags)
    return people


def give_addresses(account: Any, people: list[Any]) -> None:
    from crm.models import ContactEmail

    addresses = [(person, f"ada{n}@example.com") for n, person in enumerate(people)]
    ContactEmail.objects.bulk_create(
        [
            ContactEmail(account=account, contact=person, address=address, email_key=address, is_primary=True)
            for person, address in addresses
        ],
        batch_size=1000,
    )


def give_tags(people: list[Any], tags: list[Any]) -> None:
    """Two of them to each."""
    from crm.models import Contact

    through = Contact.tags.through
    links = [
        through(contact=person, tag=tags[(n + other) % len(tags)])
        for n, person in enumerate(people)
        for other in (0, 7)
    ]
    through.objects.bulk_create(links, batch_size=1000)


def make_leads(account: Any, user: Any, people: list[Any]) -> str:
    from crm.models import Lead, Step

    steps = list(Step.objects.all())
    leads = Lead.objects.bulk_create(
        [
            Lead(
                account=account,
                title=f"Lead {n}",
                step=steps[n % len(steps)],
                owner=user,
                contact=person,
                amount=n,
                currency="EUR",
                description=f"Firstname: Ada\nEmail: ada{n}@example.com",
            )
            for n, person in enumerate(people)
        ],
        batch_size=1000,
    )
    return str(leads[len(leads) // 2].uid)


def serve() -> tuple[subprocess.Popen, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "pipelime.wsgi:application", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--workers", "2", "--threads", "4", "--log-level", "error"),
        *("--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--preload"),
    ]
    server = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    base = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            urlopen(f"{base}/healthz", timeout=1).read()
            return server, base
        except OSError:
            time.sleep(0.1)
    stop(server)
    sys.exit("The server did not start.")


def warm(base: str, key: str) -> None:
    """Each of the two processes reads its map of URLs with its first request."""
    for _ in range(40):
        request = Request(f"{base}/api/contacts", headers={"Authorization": f"Bearer {key}"})
        urlopen(request, timeout=30).read()


def stop(server: subprocess.Popen) -> None:
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(20)


def with_wrk(url: str, key: str, body: bytes, seconds: float) -> float:
    lines = [f'wrk.headers["Authorization"] = "Bearer {key}"']
    if body:
        lines += ['wrk.method = "POST"', f"wrk.body = {json.dumps(body.decode())}"]
        lines += ['wrk.headers["Content-Type"] = "application/json"']
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("\n".join(lines))
        script.flush()
        command = [WRK or "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", script.name, url]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in printed or "Socket errors" in printed:
        sys.exit(f"{url} answered errors:\n{printed}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])  # type: ignore[index]


def with_processes(url: str, key: str, body: bytes, seconds: float) -> float:
    """Without wrk: one process a connection, each with its kept connection."""
    counts: Queue = Queue()
    task = (url, key, body, seconds, counts)
    clients = [Process(target=keep_asking, args=task) for _ in range(CONNECTIONS)]
    for client in clients:
        client.start()
    total = sum(counts.get() for _ in clients)
    for client in clients:
        client.join()
    return total / seconds


def keep_asking(url: str, key: str, body: bytes, seconds: float, counts: Queue) -> None:
    host, path = re.match(r"http://([^/]+)(.*)", url).groups()  # type: ignore[union-attr]
    name, port = host.split(":")
    method = b"POST" if body else b"GET"
    head = f"Host: {host}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    request = method + f" {path} HTTP/1.1\r\n{head}".encode() + body
    done, end = 0, time.perf_counter() + seconds
    with socket.create_connection((name, int(port))) as connection, connection.makefile("rb") as answers:
        while time.perf_counter() < end:
            connection.sendall(request)
            status = answers.readline()
            if status[9:10] != b"2":
                raise SystemExit(f"{url} answered {status!r}")
            length = 0
            while (line := answers.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            answers.read(length)
            done += 1
    counts.put(done)


def compare(target: Target, base: str, key: str, seconds: float) -> None:
    ask = with_wrk if WRK else with_processes
    bare, ours = [], []
    for _ in range(ROUNDS):
        bare.append(ask(base + target.bare, key, target.body, seconds))
        ours.append(ask(base + target.ours, key, target.body, seconds))
    limit, rate = statistics.median(bare), statistics.median(ours)
    # Of neighbours in time: whatever else the machine does meets both alike.
    ratio = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
    verdict = "goal" if ratio >= target.goal else "good" if ratio >= target.good else "BELOW"
    print(
        f"{target.name:<24} {rate:7.0f}/s   bare {limit:7.0f}/s   ratio {ratio:.2f}   "
        f"(good {target.good}, goal {target.goal}): {verdict}",
        flush=True,
    )


def main(rows: int = 10_000, seconds: float = 1) -> None:
    with tempfile.TemporaryDirectory(prefix="pipelime-bench-") as folder:
        prepare(Path(folder))
        key, lead = fill(rows)
        server, base = serve()
        try:
            from django.db import connection

            warm(base, key)
            tool = "wrk" if WRK else f"{CONNECTIONS} client processes"
            print(f"{rows:,} contacts and leads on {connection.vendor}; {CONNECTIONS} connections by {tool}")
            for target in (
                Target("list of 100 contacts", "/bare/contacts", "/api/contacts?limit=100", 0.5, 0.8),
                Target("list of 100 leads", "/bare/leads", "/api/leads?limit=100", 0.5, 0.8),
                Target("one lead", f"/bare/leads/{lead}", f"/api/leads/{lead}", 0.4, 0.7),
                Target("create a lead", "/bare/leads", "/api/leads", 0.3, 0.5, NEW_LEAD),
            ):
                compare(target, base, key, seconds)
        finally:
            stop(server)


def run(arguments: list[str]) -> None:
    if arguments[:1] == ["--leads"]:
        from bench.leads import main as list_leads

        list_leads(*map(int, arguments[1:3]))
    else:
        main(*map(int, arguments[:2]))


if __name__ == "__main__":
    run(sys.argv[1:])
