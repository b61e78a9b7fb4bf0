"""Which line of this file named somebody first, in constant memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from types import TracebackType


class Seen:
    """Words that identify, each with the line that had it first.

    A temporary file beside the local copy of the upload, and not the import's rows: unchanged records
    need none then, the database is not asked about what the file alone decides, and a worker that
    resumes makes it anew by reading the records before its own. SQLite keeps what exceeds its cache
    on disk.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("PRAGMA cache_size=-16000")
        self._database.execute("CREATE TABLE seen (word TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._empty = True

    def lines(self, words: Iterable[str]) -> dict[str, int]:
        """{word: line} of those that an earlier chunk had."""
        wanted = [] if self._empty else list(words)
        found: dict[str, int] = {}
        for start in range(0, len(wanted), 5000):
            part = wanted[start : start + 5000]
            marks = ",".join("?" * len(part))
            found.update(self._database.execute(f"SELECT word, line FROM seen WHERE word IN ({marks})", part))  # noqa: S608
        return found

    def add(self, lines: Mapping[str, int]) -> None:
        if not lines:
            return
        self._empty = False
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", sorted(lines.items()))
        self._database.execute("COMMIT")

    def __enter__(self) -> Seen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
