from django.conf import settings
from django.db import models
from django.db.models import Q

from crm.models.company import Company
from crm.models.contact import Contact
from crm.models.pipeline import Step
from crm.models.record import Record, RecordQuerySet, named
from crm.models.tag import Tag
from pipelime.accounts.models import Account, TeamMember


class LeadQuerySet(RecordQuerySet):
    def with_parts(self):
        """Everything a serializer of any dialect reads, in a constant number of queries."""
        return self.select_related(
            "step__pipeline", "owner", "created_by", "client_folder", "contact"
        ).prefetch_related("tags")

    def unassigned(self):
        return self.filter(owner=None)

    def visible_to(self, user):
        """Admins see every lead; others what the account's setting and their teams allow."""
        if user is None or user.is_admin:
            return self
        visibility = user.account.lead_visibility
        if visibility == Account.Visibility.EVERYONE:
            seen = Q(owner__isnull=False)
        elif visibility == Account.Visibility.TEAM:
            mine = TeamMember.objects.filter(user=user).values("team")
            seen = Q(owner__in=TeamMember.objects.filter(team__in=mine).values("user")) | Q(owner=user)
        else:
            seen = Q(owner=user)
        return self.filter(seen | Q(owner=None)) if user.sees_unassigned else self.filter(seen)


class Lead(Record):
    """An opportunity in a pipeline."""

    SEARCH_KIND = "lead"

    class Status(models.TextChoices):
        TODO = "todo", "To do"
        STANDBY = "standby", "Standby"
        WON = "won", "Won"
        CANCELLED = "cancelled", "Cancelled"
        LOST = "lost", "Lost"

    CLOSED = (Status.WON, Status.CANCELLED, Status.LOST)
    DURATIONS = (0, 15, 30, 45, 60, 90, 120, 150, 180, 240, 480, 720)  # minutes

    title = models.CharField(max_length=250)
    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="leads")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.TODO)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    probability = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Percent.")
    currency = models.CharField(max_length=3, blank=True)
    starred = models.BooleanField(default=False)
    remind_date = models.DateField(null=True, blank=True)
    remind_time = models.TimeField(null=True, blank=True, help_text="On the quarter of an hour.")
    reminder_at = models.DateTimeField(null=True, blank=True, editable=False)
    reminder_duration = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Minutes.")
    reminder_note = models.CharField(max_length=500, blank=True)
    estimated_closing_date = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Stored exactly as sent; the contact and the parsed fields are derived from it.
    description = models.TextField(blank=True)
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="leads"
    )
    client_folder = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="leads"
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="leads")
    created_from = models.CharField(max_length=254, default="api", editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
    )
    comment_count = models.PositiveIntegerField(default=0, editable=False)
    attachment_count = models.PositiveIntegerField(default=0, editable=False)
    bcc_count = models.PositiveIntegerField(default=0, editable=False)
    business_card_id = models.BigIntegerField(null=True, editable=False)

    objects = LeadQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "id"], condition=Q(deleted_at=None), name="lead_alive"),
            models.Index(fields=["account", "step", "id"], condition=Q(deleted_at=None), name="lead_step"),
            models.Index(fields=["account", "owner", "id"], condition=Q(deleted_at=None), name="lead_owner"),
            models.Index(
                fields=["account", "status", "id"], condition=Q(deleted_at=None), name="lead_status"
            ),
            models.Index(fields=["account", "updated_at", "id"], name="lead_updated"),
        ]
        constraints = [
            models.CheckConstraint(
                name="lead_closed_when_decided",
                condition=Q(status__in=["won", "cancelled", "lost"], closed_at__isnull=False)
                | Q(status__in=["todo", "standby"], closed_at=None),
            ),
            models.CheckConstraint(
                name="lead_probability_percent", condition=Q(probability=None) | Q(probability__lte=100)
            ),
        ]

    def __str__(self):
        return self.title

    @property
    def is_closed(self) -> bool:
        return self.status in self.CLOSED

    def search_text(self) -> str:
        return f"{self.title} {self.client_folder or ''} {self.description[:2000]}"

    @classmethod
    def search_texts(cls, ids: list[int]) -> list[tuple[int, str]]:
        rows = cls.objects.alive().filter(pk__in=ids).select_related("client_folder")
        return [(lead.pk, lead.search_text()) for lead in rows]

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "title": self.title,
            "step": named(self.step),
            "pipeline": named(self.step.pipeline),
            "status": self.status,
            "amount": str(self.amount) if self.amount is not None else None,
            "probability": self.probability,
            "currency": self.currency,
            "starred": self.starred,
            "remind_date": str(self.remind_date) if self.remind_date else None,
            "remind_time": self.remind_time.strftime("%H:%M") if self.remind_time else None,
            "reminder_at": self.reminder_at.isoformat() if self.reminder_at else None,
            "reminder_duration": self.reminder_duration,
            "estimated_closing_date": str(self.estimated_closing_date)
            if self.estimated_closing_date
            else None,
            "closed_at": self.closed_at.isoformat() if self.closed_at else None,
            "description": self.description,
            "tags": sorted((tag.name for tag in self.tags.all()), key=str.casefold),
            "owner": named(self.owner),
            "client_folder": named(self.client_folder),
            "contact_id": str(self.contact.uid) if self.contact else None,
            "created_from": self.created_from,
            "created_by_id": self.created_by_id,
            "custom_fields": self.custom_fields,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }
