"""A throw-away installation for a benchmark: a temporary folder, fresh databases, one account.

Import `workspace` before anything of Django's. With DATABASE_URL set, a database of its own is made
on that server and dropped at the end; without, SQLite in the temporary folder.
"""

from __future__ import annotations

import atexit
import base64
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def prepare(name: str):
    """Set the environment, create the databases and return an open account."""
    folder = tempfile.mkdtemp(prefix=f"pipelime-bench-{name}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "pipelime.settings",
        "PIPELIME_DATA": folder,
        "PIPELIME_LOG_LEVEL": "ERROR",
        "PIPELIME_OUTBOUND_ALLOW": "127.0.0.1",
        "SECRET_KEY": "only-for-benchmarks",
        "PIPELIME_KEYS": "bench:" + base64.urlsafe_b64encode(os.urandom(32)).decode(),
    }
    if server := os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = own_database(server, f"pipelime_bench_{name}_{os.getpid()}")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    for alias in settings.DATABASES:
        call_command("migrate", database=alias, interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    from crm.opening import open_account

    return open_account("Bench", email="bench@example.com", password="a long password for benchmarks")


def own_database(server: str, name: str) -> str:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')

    def drop() -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    atexit.register(drop)
    base, _, _ = server.rpartition("/")
    return f"{base}/{name}"


def report(what: str, ours: float, limit: float, *, good: float, goal: float, unit: str) -> None:
    """One line that says how near we come to the limit measured in the same run."""
    ratio = ours / limit
    verdict = "goal reached" if ratio >= goal else "good" if ratio >= good else "below good"
    print(
        f"{what}: {ours:,.0f} {unit} of {limit:,.0f} = {ratio:.2f} of the limit"
        f" (good {good}, goal {goal}): {verdict}"
    )
