from django.db import models
from django.db.models import Q
from django.utils import timezone

from outreach.models.campaign import Campaign
from outreach.models.enrolment import Enrolment
from outreach.models.mailbox import EmailAccount
from pipelime.ledger import LedgerRow
from pipelime.scope import AccountOwned


class Message(LedgerRow, AccountOwned):
    """One mail, from intention to outcome. Unrepeatable: `sending` is committed before the last dot.

    It keeps copies of what it needs to be understood after its campaign, contact or mailbox is gone.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        CLAIMED = "claimed"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        AMBIGUOUS = "ambiguous"
        CANCELLED = "cancelled"

    OPEN = (State.QUEUED, State.CLAIMED, State.SENDING)

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED, editable=False)
    enrolment = models.ForeignKey(Enrolment, null=True, on_delete=models.SET_NULL, related_name="messages")
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.SET_NULL, related_name="messages")
    mailbox = models.ForeignKey(EmailAccount, null=True, on_delete=models.SET_NULL, related_name="messages")
    contact_uid = models.UUIDField(null=True)
    step_number = models.PositiveSmallIntegerField()
    variant = models.CharField(max_length=10, blank=True)
    to_address = models.CharField(max_length=254)
    to_name = models.CharField(max_length=510, blank=True)
    from_address = models.CharField(max_length=254)
    campaign_name = models.CharField(max_length=250)
    message_id = models.CharField(max_length=320, unique=True)
    subject = models.CharField(max_length=998, blank=True)
    slot_at = models.DateTimeField(
        default=timezone.now, editable=False
    )  # the plan's moment; due_at moves on retries
    # The days whose counters this message raised when it was claimed.
    campaign_day = models.DateField(null=True, editable=False)
    mailbox_day = models.DateField(null=True, editable=False)
    followed_up = models.BooleanField(default=False, editable=False)  # its enrolment has moved on
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "step_number"], condition=~Q(state="cancelled"), name="message_step_once"
            )
        ]
        indexes = [
            *LedgerRow.indexes("message", owner="mailbox"),
            models.Index(fields=["campaign", "state", "id"], name="message_campaign"),
            models.Index(
                fields=["account", "id"],
                condition=Q(state="sent", followed_up=False),
                name="message_to_follow",
            ),
            models.Index(fields=["account", "id"], name="message_account"),
            models.Index(fields=["account", "sent_at"], name="message_sent"),
            models.Index(fields=["account", "to_address"], name="message_to"),
        ]

    def __str__(self):
        return f"{self.to_address}: {self.subject}"

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "to": self.to_address,
            "name": self.to_name,
            "from": self.from_address,
            "subject": self.subject,
            "status": self.state,
            "step": self.step_number,
            "variant": self.variant,
            "message_id": self.message_id,
            "campaign": self.campaign_name,
            "contact_id": str(self.contact_uid) if self.contact_uid else None,
            "sent_at": self.sent_at.isoformat() if self.sent_at else None,
            "error": self.last_error,
        }
