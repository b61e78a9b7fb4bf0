"""Brings databases and static files up to date: `python -m pipelime.upgrading`, fast when nothing changed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from pipelime.volatile import VOLATILE_APPS

COPIES_KEPT = 5


def upgrade(folder: Path) -> Iterator[str]:
    """Sentences about what was done."""
    migrated = 0
    for alias in settings.DATABASES:
        executor = MigrationExecutor(connections[alias])
        pending = pending_in(alias, executor)
        if not pending:
            continue
        if executor.loader.applied_migrations and connections[alias].vendor == "sqlite":
            yield f"Copied the database to {copy_sqlite(connections[alias], folder / 'backups')}."
        for label in apps_in(alias) or [""]:
            names = [label] if label else []
            call_command("migrate", *names, database=alias, interactive=False, verbosity=0)
        migrated += len(pending)
    if migrated:
        yield f"Applied {migrated} migrations."
    for alias in settings.DATABASES:  # the router says in which of them the cache lives
        call_command("createcachetable", database=alias, verbosity=0)
    if collect_static(Path(settings.STATIC_ROOT)):
        yield "Collected the static files."


def pending_in(alias: str, executor: MigrationExecutor) -> list[Any]:
    """The migrations that this database still lacks."""
    apps, leaves = apps_in(alias), executor.loader.graph.leaf_nodes()
    return executor.migration_plan([leaf for leaf in leaves if apps is None or leaf[0] in apps])


def apps_in(alias: str) -> list[str] | None:
    """The apps with tables in this database, where they are few: the migrations of all the others would do
    nothing there, slowly. None stands for all apps."""
    return VOLATILE_APPS if alias == "volatile" else None


def copy_sqlite(connection: BaseDatabaseWrapper, backups: Path) -> Path:
    """A consistent copy even while another process writes; the oldest ones make room."""
    name = Path(connection.settings_dict["NAME"]).stem
    backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy = backups / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(copy)])
    copy.chmod(0o600)
    for old in sorted(backups.glob(f"{name}-*.sqlite3"))[:-COPIES_KEPT]:
        old.unlink()
    return copy


def collect_static(target: Path) -> bool:
    stamp = target / ".collected"
    wanted = static_fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)
    return True


def static_fingerprint() -> str:
    """Names, sizes and times of all sources: cheaper than reading them, and enough to see a change."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipelime.settings")
    django.setup()
    for sentence in upgrade(settings.DATA):
        sys.stdout.write(sentence + "\n")
