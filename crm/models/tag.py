from django.db import models
from django.utils import timezone

from pipelime.scope import AccountOwned


class Tag(AccountOwned):
    """A word people file things under; one spelling, whatever the case."""

    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=100, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name_key"], name="tag_once")]
        ordering = ["name_key"]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.name_key = self.name.casefold()
        super().save(*args, **kwargs)

    def snapshot(self) -> dict:
        return {"id": str(self.uid), "number": self.pk, "name": self.name}
