from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models.contact import Contact
from crm.models.lead import Lead
from crm.models.prospecting import Prospect
from pipelime.scope import AccountOwned


class ActivityType(AccountOwned):
    """A kind of activity, such as a call; its children are the outcomes that people may choose."""

    class Kind(models.TextChoices):
        CALL = "call"
        EMAIL = "email"
        MEETING = "meeting"
        OTHER = "other"

    name = models.CharField(max_length=100)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="outcomes"
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.OTHER)
    icon = models.CharField(max_length=40, blank=True)
    color = models.CharField(max_length=20, blank=True)
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    is_disabled = models.BooleanField("disabled", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name"], condition=Q(parent=None), name="activity_type_once"
            ),
            models.UniqueConstraint(fields=["parent", "name"], name="activity_outcome_once"),
        ]

    def __str__(self):
        return f"{self.parent.name}: {self.name}" if self.parent else self.name

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "kind": self.kind,
            "parent_id": self.parent_id,
            "is_disabled": self.is_disabled,
        }


class Activity(AccountOwned):
    """A call, meeting or task, planned or done, about a lead, a contact or a prospect."""

    type = models.ForeignKey(ActivityType, on_delete=models.PROTECT, related_name="+")
    lead = models.ForeignKey(Lead, null=True, blank=True, on_delete=models.CASCADE, related_name="activities")
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="activities"
    )
    prospect = models.ForeignKey(
        Prospect, null=True, blank=True, on_delete=models.CASCADE, related_name="activities"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.TextField(blank=True)
    outcome = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=64, blank=True, help_text="The number that was called.")
    phone_digits = models.CharField(max_length=32, blank=True, editable=False)
    phone_tail = models.CharField(max_length=7, blank=True, editable=False, db_default="")  # their last ones
    due_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "activities"
        indexes = [models.Index(fields=["account", "phone_tail", "phone_digits"], name="activity_phone_tail")]

    def __str__(self):
        return f"{self.type}: {self.note[:50]}" if self.note else str(self.type)

    @property
    def parent(self) -> models.Model | None:
        """Whose history an event about this belongs to."""
        return self.lead or self.contact or self.prospect

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": str(self.type),
            "lead_id": self.lead_id,
            "contact_id": self.contact_id,
            "prospect_id": self.prospect_id,
            "user_id": self.user_id,
            "note": self.note,
            "outcome": self.outcome,
            "phone": self.phone,
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "done_at": self.done_at.isoformat() if self.done_at else None,
        }
