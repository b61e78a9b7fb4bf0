"""In the embedded mode, what may be lost lives in a SQLite file of its own: sessions, cache, counters.

The main file has one writer at a time, and an import holds it for up to seconds; a login or a
rate limit must not wait for that.
"""

from __future__ import annotations

VOLATILE_TABLES = {"django_session", "volatile_cache", "api_ratewindow"}
VOLATILE_APPS = ["sessions", "api"]  # whose models these are; the cache makes its own table


class VolatileRouter:
    def db_for_read(self, model, **hints):
        return "volatile" if model._meta.db_table in VOLATILE_TABLES else None

    db_for_write = db_for_read

    def allow_relation(self, one, other, **hints):
        return None

    def allow_migrate(self, db, app_label, model_name=None, model=None, **hints):
        table = model._meta.db_table if model is not None else hints.get("table")
        if table is None:
            return db == "default"
        return (table in VOLATILE_TABLES) == (db == "volatile")
