from django.db import models
from django.utils import timezone

from pipelime.scope import AccountOwned


class BlocklistEntry(AccountOwned):
    """An address or a whole domain that this account never writes to."""

    class Kind(models.TextChoices):
        EMAIL = "email"
        DOMAIN = "domain"

    value = models.CharField(max_length=254)
    kind = models.CharField(max_length=10, choices=Kind)
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "blocklist entries"
        constraints = [models.UniqueConstraint(fields=["account", "value"], name="blocked_once")]

    def __str__(self):
        return self.value

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "value": self.value,
            "kind": self.kind,
            "reason": self.reason,
        }


class Suppression(AccountOwned):
    """An address that must not be mailed again, as a hash: it outlives contact, undo, merge and import."""

    class Cause(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed"
        BOUNCED = "bounced"
        COMPLAINED = "complained"

    address_hash = models.CharField(max_length=64)
    cause = models.CharField(max_length=12, choices=Cause)
    source = models.CharField(max_length=250, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "address_hash"], name="suppressed_once")]

    def __str__(self):
        return f"{self.cause} {self.address_hash[:12]}"
