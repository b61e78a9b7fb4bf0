from django.conf import settings
from django.db import models
from django.utils import timezone

from crm.models.contact import Contact
from crm.models.lead import Lead
from pipelime.scope import AccountOwned


class ActivityType(AccountOwned):
    """A kind of activity, such as a call, and the outcomes people may choose for it."""

    name = models.CharField(max_length=100)
    outcomes = models.JSONField(default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="activity_type_once")]

    def __str__(self):
        return self.name


class Activity(AccountOwned):
    """A call, meeting or task, planned or done."""

    type = models.ForeignKey(ActivityType, on_delete=models.PROTECT, related_name="+")
    lead = models.ForeignKey(Lead, null=True, blank=True, on_delete=models.CASCADE, related_name="activities")
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="activities"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.TextField(blank=True)
    outcome = models.CharField(max_length=100, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "activities"

    def __str__(self):
        return f"{self.type}: {self.note[:50]}"
