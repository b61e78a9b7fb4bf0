from django.db import models
from django.utils import timezone

from pipelime.encryption import EncryptedTextField
from pipelime.scope import AccountOwned


class SendingDomain(AccountOwned):
    """What the DNS says of a domain that mailboxes send from, and our own signature for it."""

    name = models.CharField(max_length=253)
    # [{"check": "spf", "level": "ok" | "warning" | "problem", "found": …, "advice": …}]
    findings = models.JSONField(default=list)
    checked_at = models.DateTimeField(null=True)
    dkim_selector = models.CharField("DKIM selector", max_length=63, blank=True)
    dkim_key = EncryptedTextField("DKIM private key", blank=True)
    signs = models.BooleanField("mail is signed here", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="sending_domain_once")]

    def __str__(self):
        return self.name

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "dkim_selector": self.dkim_selector,
            "signs": self.signs,
        }
