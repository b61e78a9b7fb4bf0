from django.db import models
from django.utils import timezone

from pipelime.scope import AccountOwned


class ContactSearch(AccountOwned):
    """A search over the account's own contacts whose result is kept, for clients that fetch it later."""

    class Status(models.TextChoices):
        PENDING = "pending"
        COMPLETED = "completed"
        FAILED = "failed"

    name = models.CharField(max_length=250)
    filters = models.JSONField(default=dict)
    requested = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    contact_ids = models.JSONField(default=list)  # in the order found
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self):
        return self.name

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "filters": self.filters,
            "requested": self.requested,
            "found": len(self.contact_ids),
            "created_at": self.created_at.isoformat(),
            "completed_at": self.completed_at.isoformat() if self.completed_at else None,
        }
