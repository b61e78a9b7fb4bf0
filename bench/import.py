"""Imports generated people with everything on, against bare inserts of the very same rows.

Usage: python bench/import.py [rows]            rows/s of both, their ratio, peak memory
       python bench/import.py --memory [rows]   how memory grows with the file (1,000,000 rows)

Runs on a database of its own: SQLite in a temporary folder, or a new PostgreSQL database beside the one
that DATABASE_URL names. The limit is COPY (PostgreSQL) or executemany (SQLite), 1,000 people a transaction,
of what the import had written: contacts, addresses, companies, events, import rows, search documents.
"""

from __future__ import annotations

import atexit
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

GOOD, GOAL, MOST_MEGABYTES = 0.4, 0.7, 250
ROUNDS = 3
CHUNK = 1000
FIRST = ("Ada", "Alan", "Barbara", "Chloé", "Dennis", "Édith", "Grace", "Jörg", "José", "Ken", "Linus", "Zoë")
LAST = ("Dupont", "García", "Hamilton", "Hopper", "Knuth", "Lamport", "Liskov", "Müller", "Ritchie", "Turing")
JOBS = ["Head of Sales", "CTO", "Buyer", "Founder", "Account Manager"]
CITIES = ["Paris", "Berlin", "Madrid", "London", "Zürich", "Lyon"]


def main(rows: int, memory: bool) -> None:
    folder = Path(tempfile.mkdtemp(prefix="pipelime-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with own_database(folder):
        prepare()
        (measure_memory if memory else measure_speed)(folder, rows)


@contextmanager
def own_database(folder: Path) -> Iterator[None]:
    """Settings read the environment when Django starts, so this comes before every import of ours."""
    os.environ |= {"PIPELIME_DATA": str(folder), "SECRET_KEY": "bench", "PIPELIME_KEYS": "bench:" + "A" * 43}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "pipelime.settings", "PIPELIME_LOG_LEVEL": "WARNING"}
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        yield
        return
    import psycopg

    name = f"pipelime_bench_{os.getpid()}"
    os.environ["DATABASE_URL"] = with_path(url, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield
        finally:
            from django.db import connections

            connections.close_all()
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def with_path(url: str, name: str) -> str:
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{name}{query}"


def prepare() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from pipelime import doorbell
    from pipelime.celery import freeze_what_is_loaded

    doorbell.ring_now = lambda task: True  # nobody is there to hear it
    call_command("migrate", verbosity=0)
    freeze_what_is_loaded()  # as every worker does when it is ready


def write_people(path: Path, count: int, seed: int) -> None:
    draw = random.Random(seed)
    with path.open("w", encoding="utf-8") as stream:
        stream.write("First name,Last name,E-mail,Company,Job title,Phone,City,LinkedIn\n")
        for number in range(count):
            first, last = draw.choice(FIRST), draw.choice(LAST)
            email = f"{first}.{last}.{number}@example{draw.randrange(500)}.com".encode(
                "ascii", "ignore"
            ).decode()
            if number % 100 == 50:
                email = email.replace("@", " at ")
            stream.write(
                f"{first},{last},{email},Company {draw.randrange(count // 5 + 1)},{draw.choice(JOBS)},"
                f"+33 1 {draw.randrange(10**8):08d},{draw.choice(CITIES)},linkedin.com/in/{first}-{number}\n"
            )


def run_import(path: Path, rows: int) -> float:
    """Seconds from the upload to the last record."""
    from django.core.files import File

    from crm.importing.jobs import start_import
    from crm.tasks import run_imports
    from pipelime.accounts.models import Account
    from pipelime.scope import account_scope

    account = Account.objects.create(name=path.stem, slug=f"{path.stem}-{time.time_ns()}")
    begin = time.perf_counter()
    with account_scope(account), path.open("rb") as stream:
        job = start_import(account, by=None, file=File(stream, name=path.name))
    run_imports()
    seconds = time.perf_counter() - begin
    with account_scope(account):
        job.refresh_from_db()
    bad = len(range(50, rows, 100))
    assert (job.status, job.created, job.rejected) == ("done", rows - bad, bad), (
        job.status,
        job.error,
        job.created,
    )
    return seconds


def measure_speed(folder: Path, rows: int) -> None:
    from django.db import connection

    tables = written_tables()
    run_import(people_file(folder, 2000, 0), 2000)
    empty(tables)
    ours, bare = [], []
    for round_number in range(1, ROUNDS + 1):
        ours.append(rows / run_import(people_file(folder, rows, round_number), rows))
        contents = by_chunk([(table, *read_back(table)) for table in tables])
        empty(tables)
        bare.append(rows / insert_bare(contents))
        empty(tables)
    fast, limit = statistics.median(ours), statistics.median(bare)
    how = "COPY" if connection.vendor == "postgresql" else "executemany"
    print(f"{rows:,} people, {connection.vendor}, median of {ROUNDS} rounds")
    print(f"import {fast:,.0f} rows/s; bare {how} of the same rows {limit:,.0f} rows/s")
    print(
        f"ratio {fast / limit:.2f} (good {GOOD}, goal {GOAL}); peak memory of both {peak_megabytes():.0f} MB"
    )


def people_file(folder: Path, rows: int, seed: int) -> Path:
    path = folder / f"people-{seed}.csv"
    write_people(path, rows, seed)
    return path


def written_tables() -> list[Any]:
    from crm.models import Company, Contact, ContactEmail, ImportRow
    from pipelime.events.models import Event
    from pipelime.search.models import Document

    return [Company, Contact, ContactEmail, Event, ImportRow, Document]


def read_back(model: Any) -> tuple[list[str], list[tuple]]:
    """Everything but what the database fills in itself, in the order of ids."""
    from django.db import connection

    columns = [field.column for field in model._meta.concrete_fields if field.column != "transaction"]
    names = ", ".join(f'"{column}"' for column in columns)
    if connection.vendor == "postgresql":
        json_columns = {
            field.column for field in model._meta.concrete_fields if "JSON" in type(field).__name__
        }
        names = ", ".join(f'"{name}"::text' if name in json_columns else f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {model._meta.db_table} ORDER BY id")
        return columns, cursor.fetchall()


Part = tuple[Any, list[str], list[tuple]]


def by_chunk(contents: list[Part]) -> list[list[Part]]:
    """The rows as the import wrote them together, so that companies come before their people."""
    moments: dict[Any, int] = {}
    owners: dict[tuple[str, int], int] = {}

    def chunk_of(name: str, row: dict[str, Any]) -> int:
        if name in ("contact", "company"):
            owners[name, row["id"]] = moments.setdefault(row["created_at"], len(moments))
            return owners[name, row["id"]]
        if name == "contactemail":
            return owners["contact", row["contact_id"]]
        if name == "document":
            return owners[row["kind"], row["object_id"]]
        return moments.get(row["at"], 0) if name == "event" else (row["record"] - 1) // CHUNK

    chunks: dict[int, list[Part]] = {}
    for model, columns, rows in contents:
        parts: dict[int, list[tuple]] = {}
        for row in rows:
            number = chunk_of(model._meta.model_name, dict(zip(columns, row, strict=True)))
            parts.setdefault(number, []).append(row)
        for number, part in parts.items():
            chunks.setdefault(number, []).append((model, columns, part))
    return [chunks[number] for number in sorted(chunks)]


def insert_bare(chunks: list[list[Part]]) -> float:
    from django.db import connection, transaction

    begin = time.perf_counter()
    for chunk in chunks:
        with transaction.atomic(), connection.cursor() as cursor:
            for model, columns, rows in chunk:
                insert(cursor, model._meta.db_table, columns, rows)
    return time.perf_counter() - begin


def insert(cursor: Any, table: str, columns: list[str], rows: list[tuple]) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    if cursor.db.vendor == "postgresql":
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))})", rows)
    if table == "search_document":
        id_at, text_at = columns.index("id"), columns.index("text")
        words = [(row[id_at], row[text_at]) for row in rows]
        cursor.executemany("INSERT INTO search_words (rowid, text) VALUES (%s, %s)", words)


def empty(tables: list[Any]) -> None:
    from django.db import connection

    names = [model._meta.db_table for model in tables]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(names)} CASCADE")
            cursor.execute("CHECKPOINT")
            return
        for name in [*reversed(names), "search_words"]:
            cursor.execute(f"DELETE FROM {name}")
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def measure_memory(folder: Path, rows: int) -> None:
    path = people_file(folder, rows, 1)
    run_import(people_file(folder, 2000, 0), 2000)
    samples: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            samples.append(megabytes_now())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    seconds = run_import(path, rows)
    done.set()
    watcher.join()
    quarter = len(samples) // 4
    growth = max(samples[-quarter:]) - max(samples[quarter : 2 * quarter])
    peak = peak_megabytes()
    tenths = [
        max(samples[len(samples) * part // 10 : len(samples) * (part + 1) // 10 + 1]) for part in range(10)
    ]
    print(f"{rows:,} people in {seconds:.0f} s ({rows / seconds:,.0f} rows/s)")
    print("most memory in each tenth of the time, MB: " + " ".join(f"{value:.0f}" for value in tenths))
    print(f"peak {peak:.0f} MB of {MOST_MEGABYTES} allowed; {growth:+.0f} MB from 2nd to last quarter")


def megabytes_now() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--memory"]
    memory = "--memory" in sys.argv
    main(int(words[0]) if words else (1_000_000 if memory else 20_000), memory)
