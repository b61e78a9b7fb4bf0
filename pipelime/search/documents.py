"""Write, remove and find documents. Single changes index in their own transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.utils.module_loading import import_string

from pipelime.bulk import in_chunks, insert_rows, take_ids
from pipelime.doorbell import ring
from pipelime.scope import current_account_id
from pipelime.search.models import Document, IndexJob
from pipelime.search.words import indexed, words_of

FOUND_AT_MOST = 1000
QUESTION_AT_MOST = 1000  # characters of what people type that are read
TERMS_AT_MOST = 10


def index(row: models.Model, *, is_new: bool = False) -> None:
    """Store the words of one row; its model has `SEARCH_KIND` and `search_text()`.

    A row that this transaction has made has nothing to replace, which spares half of the statements.
    """
    write = add if is_new else store
    write(row.SEARCH_KIND, row.account_id, [(row.pk, row.search_text())])


@transaction.atomic(savepoint=False)
def remove(kind: str, ids: Iterable[int]) -> None:
    ids = list(ids)
    if connection.vendor == "sqlite":
        old = list(Document.objects.filter(kind=kind, object_id__in=ids).values_list("pk", flat=True))
        forget_words(old)
    Document.objects.filter(kind=kind, object_id__in=ids).delete()


@transaction.atomic(savepoint=False)
def store(kind: str, account_id: int, texts: Iterable[tuple[int, str]]) -> None:
    """Replace the documents of (id, text) pairs; in one order for everybody, so that no two writers
    wait for each other."""
    documents = [
        Document(account_id=account_id, kind=kind, object_id=pk, text=document_text(account_id, text))
        for pk, text in sorted(dict(texts).items())
    ]
    if connection.vendor != "sqlite":
        Document.objects.bulk_create(
            documents, update_conflicts=True, unique_fields=["kind", "object_id"], update_fields=["text"]
        )
        return
    remove(kind, [document.object_id for document in documents])
    Document.objects.bulk_create(documents)
    remember_words([(document.pk, document.text) for document in documents])


def add(kind: str, account_id: int, texts: list[tuple[int, str]]) -> None:
    """Documents of rows that are new, so that there is nothing to replace; in bulk."""
    rows = [(account_id, kind, pk, document_text(account_id, text)) for pk, text in texts]
    if connection.vendor != "sqlite":
        insert_rows(Document, ("account_id", "kind", "object_id", "text"), rows)
        return
    ids = take_ids(Document, len(rows))
    numbered = [(pk, *row) for pk, row in zip(ids, rows, strict=True)]
    insert_rows(Document, ("id", "account_id", "kind", "object_id", "text"), numbered)
    remember_words([(row[0], row[4]) for row in numbered])


def remember_words(texts: list[tuple[int, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO search_words (rowid, text) VALUES (%s, %s)", texts)


def forget_words(ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("DELETE FROM search_words WHERE rowid = %s", [(pk,) for pk in ids])


def later(kind: str, account_id: int, ids: Iterable[int]) -> None:
    """Leave ids to the indexer: one ledger row for each thousand."""
    for chunk in in_chunks(ids, 1000):
        IndexJob.objects.create(account_id=account_id, kind=kind, ids=chunk)
    ring("pipelime.search.tasks.index_due")


def find(kind: str, question: str, *, limit: int = FOUND_AT_MOST) -> list[int]:
    """Ids of the scope's rows that hold every word's beginning, the newest first; but rows that hold an
    asked e-mail address as a whole come before those that only begin like it."""
    account_id = current_account_id("search")
    terms = words_of(question[:QUESTION_AT_MOST])[:TERMS_AT_MOST]
    if not terms or account_id is None:
        return []
    look = find_postgresql if connection.vendor == "postgresql" else find_sqlite
    beginnings = look(kind, account_id, terms, limit, whole=False)
    if "@" not in question or not beginnings:
        return beginnings
    return list(dict.fromkeys(look(kind, account_id, terms, limit, whole=True) + beginnings))[:limit]


# Words hold letters, digits and @ . + _ - only, so they need no escaping in either query language.


def find_postgresql(kind: str, account_id: int, terms: list[str], limit: int, *, whole: bool) -> list[int]:
    end = "'" if whole else "':*"
    query = " & ".join([f"'{token(account_id)}'", *(f"'{term}{end}" for term in terms)])
    return object_ids(
        "SELECT object_id FROM search_document WHERE words @@ %s::tsquery "
        "AND kind = %s AND account_id = %s ORDER BY object_id DESC LIMIT %s",
        [query, kind, account_id, limit],
    )


def find_sqlite(kind: str, account_id: int, terms: list[str], limit: int, *, whole: bool) -> list[int]:
    end = '"' if whole else '"*'
    query = " ".join([f'"{token(account_id)}"', *(f'"{term}{end}' for term in terms)])
    return object_ids(
        "SELECT d.object_id FROM search_words w JOIN search_document d ON d.id = w.rowid "
        "WHERE search_words MATCH %s AND d.kind = %s AND d.account_id = %s "
        "ORDER BY d.object_id DESC LIMIT %s",
        [query, kind, account_id, limit],
    )


def object_ids(statement: str, params: list) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [row[0] for row in cursor.fetchall()]


def token(account_id: int) -> str:
    return f"acct{account_id}"


def document_text(account_id: int, text: str) -> str:
    return " ".join([token(account_id), *indexed(text)])


@cache
def indexed_models() -> dict[str, type[models.Model]]:
    return {model.SEARCH_KIND: model for model in apps.get_models() if hasattr(model, "SEARCH_KIND")}


def model_of(kind: str) -> type[models.Model]:
    return indexed_models()[kind]


def texts_of(kind: str) -> Callable[[list[int]], list[tuple[int, str]]]:
    """The model's own way to the words of many rows at once."""
    return model_of(kind).search_texts


def prepare(kind: str, ids: list[int]) -> None:
    """Let the domain derive first what the words of these rows are made of."""
    if path := settings.BEFORE_INDEXING.get(kind):
        import_string(path)(ids)
