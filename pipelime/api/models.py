"""IdempotentAnswer: what a repeated POST is told. RateWindow: how much of a limit is used."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from pipelime.encryption import EncryptedTextField
from pipelime.scope import AccountOwned


class IdempotentAnswer(AccountOwned):
    """The stored answer to a POST with an Idempotency-Key, replayed for a day."""

    credential = models.CharField(max_length=40)
    path = models.CharField(max_length=250)
    key_digest = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = EncryptedTextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "credential", "path", "key_digest"], name="idempotent_once"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotent_created")]


class RateWindow(models.Model):
    """Requests counted in one window of one limit; in the embedded mode in the volatile file."""

    key = models.CharField(max_length=120, unique=True)
    window = models.BigIntegerField()
    used = models.PositiveIntegerField(default=0)
