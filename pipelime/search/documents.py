"""Write, remove and find documents. Single changes index in their own transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from django.apps import apps
from django.db import connection, models

from pipelime.bulk import in_chunks, insert_rows, take_ids
from pipelime.doorbell import ring
from pipelime.scope import current_account_id
from pipelime.search.models import Document, IndexJob

FOUND_AT_MOST = 1000
WORD = re.compile(r"[^\W_]+(?:[@.+'-][^\W_]+)*")


def index(row: models.Model) -> None:
    """Store the words of one row; its model has `SEARCH_KIND` and `search_text()`."""
    store(row.SEARCH_KIND, row.account_id, [(row.pk, row.search_text())])


def remove(kind: str, ids: Iterable[int]) -> None:
    ids = list(ids)
    if connection.vendor == "sqlite":
        old = list(Document.objects.filter(kind=kind, object_id__in=ids).values_list("pk", flat=True))
        forget_words(old)
    Document.objects.filter(kind=kind, object_id__in=ids).delete()


def store(kind: str, account_id: int, texts: list[tuple[int, str]]) -> None:
    """Replace the documents of (id, text) pairs."""
    documents = [
        Document(account_id=account_id, kind=kind, object_id=pk, text=f"{token(account_id)} {clean(text)}")
        for pk, text in texts
    ]
    if connection.vendor == "sqlite":
        remove(kind, [pk for pk, _ in texts])
        Document.objects.bulk_create(documents)
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO search_words (rowid, text) VALUES (%s, %s)",
                [(document.pk, document.text) for document in documents],
            )
        return
    Document.objects.bulk_create(
        documents, update_conflicts=True, unique_fields=["kind", "object_id"], update_fields=["text"]
    )


def add(kind: str, account_id: int, texts: list[tuple[int, str]]) -> None:
    """Documents of rows that are new, so that there is nothing to replace; in bulk."""
    prefix = f"{token(account_id)} "
    rows = [(account_id, kind, pk, prefix + clean(text)) for pk, text in texts]
    if connection.vendor != "sqlite":
        insert_rows(Document, ("account_id", "kind", "object_id", "text"), rows)
        return
    ids = take_ids(Document, len(rows))
    numbered = [(pk, *row) for pk, row in zip(ids, rows, strict=True)]
    insert_rows(Document, ("id", "account_id", "kind", "object_id", "text"), numbered)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO search_words (rowid, text) VALUES (%s, %s)", [(row[0], row[4]) for row in numbered]
        )


def forget_words(ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("DELETE FROM search_words WHERE rowid = %s", [(pk,) for pk in ids])


def later(kind: str, account_id: int, ids: Iterable[int]) -> None:
    """Leave ids to the indexer: one ledger row for each thousand."""
    for chunk in in_chunks(ids, 1000):
        IndexJob.objects.create(account_id=account_id, kind=kind, ids=chunk)
    ring("pipelime.search.tasks.index_due")


def find(kind: str, words: str, *, limit: int = FOUND_AT_MOST) -> list[int]:
    """Ids of the scope's rows that hold every word's beginning; the newest first."""
    account_id = current_account_id("search")
    terms = WORD.findall(clean(words))[:10]
    if not terms or account_id is None:
        return []
    if connection.vendor == "postgresql":
        return find_postgresql(kind, account_id, terms, limit)
    return find_sqlite(kind, account_id, terms, limit)


def find_postgresql(kind: str, account_id: int, terms: list[str], limit: int) -> list[int]:
    query = " & ".join([token(account_id), *(f"'{term.replace(chr(39), ' ')}':*" for term in terms)])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT object_id FROM search_document WHERE words @@ to_tsquery('simple', %s) "
            "AND kind = %s AND account_id = %s ORDER BY object_id DESC LIMIT %s",
            [query, kind, account_id, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def find_sqlite(kind: str, account_id: int, terms: list[str], limit: int) -> list[int]:
    query = " ".join([token(account_id), *(f'"{term}"*' for term in terms)])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.object_id FROM search_words w JOIN search_document d ON d.id = w.rowid "
            "WHERE search_words MATCH %s AND d.kind = %s AND d.account_id = %s "
            "ORDER BY d.object_id DESC LIMIT %s",
            [query, kind, account_id, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def token(account_id: int) -> str:
    return f"acct{account_id}"


def clean(text: str) -> str:
    return text.replace("\x00", " ").casefold()


@cache
def indexed_models() -> dict[str, type[models.Model]]:
    return {model.SEARCH_KIND: model for model in apps.get_models() if hasattr(model, "SEARCH_KIND")}


def texts_of(kind: str) -> Callable[[list[int]], list[tuple[int, str]]]:
    """The model's own way to the words of many rows at once."""
    return indexed_models()[kind].search_texts
