"""What contacts, companies and leads share: an age, a version, soft deletion, words to search."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.utils import timezone

from pipelime.scope import AccountOwned, AccountQuerySet


class RecordQuerySet(AccountQuerySet):
    def alive(self):
        return self.filter(deleted_at=None)


class Record(AccountOwned):
    """`version` grows with every change, so that an undo or a second tab notices what came between."""

    custom_fields = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True

    def touch(self, *fields: str) -> None:
        """Save these fields as a new version."""
        self.version += 1
        self.updated_at = timezone.now()
        self.save(update_fields=[*fields, "version", "updated_at"])

    @classmethod
    def touch_all(cls, ids: list[int]) -> None:
        cls.objects.filter(pk__in=ids).update(version=F("version") + 1, updated_at=timezone.now())


def named(row: models.Model | None) -> dict | None:
    """How a snapshot names another row."""
    return {"id": str(row.uid), "number": row.pk, "name": row.name} if row is not None else None
