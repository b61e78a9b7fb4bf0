from django.db import models
from django.utils import timezone

from crm.models.lead import Lead
from pipelime.ledger import LedgerRow
from pipelime.scope import AccountOwned


class ReceivedMail(LedgerRow, AccountOwned):
    """A mail to the account's own address, kept as it came until a lead, or a person, has dealt with it."""

    class Outcome(models.TextChoices):
        WAITING = "waiting"
        LEAD_CREATED = "lead created"
        ATTACHED = "attached to a lead"
        REFUSED = "refused"
        IGNORED = "ignored"

    raw = models.CharField(max_length=250, editable=False)  # its name in the storage
    sha256 = models.CharField(max_length=64, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False)  # bytes
    source = models.CharField(max_length=20, editable=False)  # imap, pipe or url
    message_id = models.CharField(max_length=320, blank=True, editable=False)
    sender = models.CharField(max_length=320, blank=True, editable=False)
    subject = models.CharField(max_length=998, blank=True, editable=False)
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.WAITING, editable=False)
    reason = models.CharField(max_length=500, blank=True, editable=False)
    lead = models.ForeignKey(
        Lead, null=True, blank=True, on_delete=models.SET_NULL, related_name="received_mail"
    )
    received_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "received mail"
        verbose_name_plural = "received mail"
        ordering = ["-id"]
        indexes = LedgerRow.indexes("receivedmail")
        constraints = [models.UniqueConstraint(fields=["account", "sha256"], name="received_mail_once")]

    def __str__(self):
        return self.subject or self.message_id or f"mail {self.pk}"

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": str(self),
            "sender": self.sender,
            "subject": self.subject,
            "outcome": self.outcome,
            "reason": self.reason,
        }


class Inbox(models.Model):
    """How far the operator's mailbox has been read. It serves all accounts and belongs to none."""

    name = models.CharField(max_length=250, unique=True)
    uid_validity = models.BigIntegerField(default=0)
    last_uid = models.BigIntegerField(default=0)
    busy_until = models.DateTimeField(null=True)
    polled_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name_plural = "inboxes"

    def __str__(self):
        return self.name
