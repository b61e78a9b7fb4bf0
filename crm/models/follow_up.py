from django.conf import settings
from django.db import models
from django.utils import timezone

from crm.models.lead import Lead
from crm.models.tag import Tag
from pipelime.scope import AccountOwned


class FollowUp(AccountOwned):
    """What is to be done for a lead after the sale: a titled list of tasks."""

    class Status(models.TextChoices):
        TODO = "todo", "To do"
        STANDBY = "standby", "Standby"
        DONE = "done", "Done"

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="follow_ups")
    title = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.TODO)
    tags = models.ManyToManyField(Tag, blank=True, related_name="follow_ups")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "follow-up"
        ordering = ["id"]

    def __str__(self):
        return self.title

    @property
    def name(self) -> str:
        return self.title

    @property
    def parent(self) -> Lead:
        return self.lead

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "title": self.title,
            "description": self.description,
            "lead_id": self.lead_id,
            "owner_id": self.owner_id,
            "status": self.status,
        }


class FollowUpTask(AccountOwned):
    """One thing to do in a follow-up. `due_at` is when a task on standby comes back."""

    follow_up = models.ForeignKey(FollowUp, on_delete=models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=250)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    status = models.CharField(max_length=10, choices=FollowUp.Status, default=FollowUp.Status.TODO)
    due_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True, editable=False)
    position = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "task"
        ordering = ["position", "id"]

    def __str__(self):
        return self.title

    @property
    def name(self) -> str:
        return self.title

    @property
    def parent(self) -> Lead:
        return self.follow_up.lead

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "title": self.title,
            "follow_up_id": self.follow_up_id,
            "lead_id": self.follow_up.lead_id,
            "owner_id": self.owner_id,
            "status": self.status,
            "due_at": self.due_at.isoformat() if self.due_at else None,
        }
