"""A database is copied before it changes, and static files are collected only when they changed."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import get_finder
from django.db.utils import ConnectionHandler

from pipelime import upgrading


@pytest.fixture
def database(tmp_path: Path, django_db_blocker):
    """A SQLite file in WAL mode with one committed row that is not yet in the main file."""
    name = tmp_path / "pipelime.sqlite3"
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": name}})
    connection = handler["default"]
    with django_db_blocker.unblock():  # not the suite's database, a file of this test
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("CREATE TABLE lead (title text)")
            cursor.execute("INSERT INTO lead VALUES ('Acme')")
        yield connection
        connection.close()


def test_a_copy_holds_what_was_committed_and_is_readable_by_its_owner_only(database, tmp_path):
    copy = upgrading.copy_sqlite(database, tmp_path / "backups")

    with sqlite3.connect(copy) as opened:
        rows = opened.execute("SELECT title FROM lead").fetchall()
    opened.close()
    assert rows == [("Acme",)]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700


def test_the_last_five_copies_are_kept(database, tmp_path):
    copies = [upgrading.copy_sqlite(database, tmp_path / "backups") for _ in range(7)]

    assert sorted((tmp_path / "backups").iterdir()) == copies[2:]


@pytest.fixture
def source(settings, tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "page.css").write_text("a")
    settings.STATICFILES_DIRS = [str(source)]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = str(tmp_path / "static")
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return source


@pytest.fixture(autouse=True)
def fresh_finders():
    get_finder.cache_clear()
    yield
    get_finder.cache_clear()


def test_static_files_are_collected_once(source, tmp_path):
    first = upgrading.collect_static(tmp_path / "static")
    second = upgrading.collect_static(tmp_path / "static")

    assert (first, second) == (True, False)
    assert (tmp_path / "static" / "page.css").read_text() == "a"


def test_a_changed_static_file_is_collected_again(source, tmp_path):
    upgrading.collect_static(tmp_path / "static")
    (source / "page.css").write_text("b")
    later = (source / "page.css").stat().st_mtime + 2
    os.utime(source / "page.css", (later, later))

    collected = upgrading.collect_static(tmp_path / "static")

    assert collected
    assert (tmp_path / "static" / "page.css").read_text() == "b"


@pytest.mark.django_db(databases="__all__")
def test_an_up_to_date_installation_is_left_alone(source, tmp_path):
    upgrading.collect_static(tmp_path / "static")

    assert list(upgrading.upgrade(tmp_path)) == []
    assert not (tmp_path / "backups").exists()
