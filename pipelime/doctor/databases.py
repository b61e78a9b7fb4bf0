"""The databases: reachable, recent, writable, migrated, on time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError
from django.utils import timezone

from pipelime.doctor.verdicts import Verdict, failure, ok, warning
from pipelime.upgrading import pending_in

OLDEST_SQLITE = (3, 35)  # UPDATE … FROM, RETURNING and MATERIALIZED, by which work is claimed
OLDEST_POSTGRESQL = 150000
DRIFT_SECONDS = 5


def databases() -> Iterator[Verdict]:
    for alias in connections:
        connection = connections[alias]
        try:
            connection.ensure_connection()
        except DatabaseError as error:
            yield failure(
                f"The database {name_of(connection)} does not answer ({str(error).strip()}): "
                "start it, or correct DATABASE_URL."
            )
            continue
        yield from (postgresql if connection.vendor == "postgresql" else sqlite)(connection)


def name_of(connection: BaseDatabaseWrapper) -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(values["NAME"])
    return f"{values['NAME']} at {values['HOST'] or 'the local socket'}"


def postgresql(connection: BaseDatabaseWrapper) -> Iterator[Verdict]:
    [number] = ask(connection, "SELECT current_setting('server_version_num')::int")
    [readonly] = ask(
        connection, "SELECT current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery()"
    )
    version = f"{number // 10000}.{number % 10000}"
    if readonly:
        yield failure(f"PostgreSQL {name_of(connection)} is read-only: point DATABASE_URL at the primary.")
    elif number < OLDEST_POSTGRESQL:
        yield warning(f"PostgreSQL {version} is older than 15, with which Pipelime is tested: upgrade it.")
    else:
        yield ok(f"PostgreSQL {version} answers as {name_of(connection)}.")


def sqlite(connection: BaseDatabaseWrapper) -> Iterator[Verdict]:
    name, version = name_of(connection), connection.Database.sqlite_version
    if connection.Database.sqlite_version_info[:2] < OLDEST_SQLITE:
        yield failure(f"SQLite {version} is too old: use a Python that brings SQLite 3.35 or newer.")
        return
    [mode] = ask(connection, "PRAGMA journal_mode")
    try:
        # A number in the file's header that is for us to use: writing it back leaves no row behind.
        [user_version] = ask(connection, "PRAGMA user_version")
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA user_version = {user_version}")
    except DatabaseError as error:
        yield failure(f"{name} cannot be written ({error}): give this user the right to its file and folder.")
        return
    if mode != "wal":
        yield failure(f"{name} is not in WAL mode but {mode}: put it on a local disk, not a network share.")
    else:
        yield ok(f"SQLite {version} writes {name} in WAL mode.")


def production() -> Iterator[Verdict]:
    if connections["default"].vendor == "sqlite" and settings.BROKER_URL:
        yield warning(
            "A broker is set, but the database is SQLite: several machines need PostgreSQL, set DATABASE_URL."
        )


def migrations() -> Iterator[Verdict]:
    missing = 0
    for alias in connections:
        executor = MigrationExecutor(connections[alias])
        missing += len(pending_in(alias, executor))
    if missing:
        noun = "migration is" if missing == 1 else "migrations are"
        yield failure(f"{missing} {noun} not applied: run bin/manage migrate, or bin/up, which does it.")
    else:
        yield ok("All migrations are applied.")


def clock() -> Iterator[Verdict]:
    """Leases run by the database's clock, due times by this machine's."""
    connection = connections["default"]
    drift = abs((database_time(connection) - timezone.now()).total_seconds())
    if drift > DRIFT_SECONDS:
        yield failure(
            f"The database's clock and this machine's differ by {drift:.0f} seconds: "
            "let NTP set both, or work is done early, late or twice."
        )
    else:
        yield ok("The database's clock and this machine's agree.")


def database_time(connection: BaseDatabaseWrapper) -> datetime:
    if connection.vendor == "postgresql":
        return ask(connection, "SELECT clock_timestamp()")[0]
    [text] = ask(connection, "SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ask(connection: BaseDatabaseWrapper, statement: str) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()
