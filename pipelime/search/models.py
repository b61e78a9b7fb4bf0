"""Document: the words of one row. IndexJob: rows that a bulk change left to be indexed."""

from __future__ import annotations

from django.db import models

from pipelime.ledger import LedgerRow
from pipelime.scope import AccountOwned


class Document(models.Model):
    """`text` is a list of words that begins with the account's token: one look-up stays inside the account.

    PostgreSQL adds a generated tsvector column, SQLite a full-text table with the same row ids.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="document_once")]


class IndexJob(LedgerRow, AccountOwned):
    """`Index these ids`: what bulk work writes, one row a chunk."""

    kind = models.CharField(max_length=20)
    ids = models.JSONField()

    class Meta:
        indexes = LedgerRow.indexes("indexjob")
