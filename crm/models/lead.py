from django.conf import settings
from django.db import models
from django.db.models import Prefetch, Q

from crm.models.company import Company
from crm.models.contact import Contact
from crm.models.pipeline import Step
from crm.models.record import Record, RecordQuerySet, named
from crm.models.tag import Tag
from pipelime.accounts.models import Account, TeamMember


class LeadQuerySet(RecordQuerySet):
    def with_parts(self):
        """Everything a serializer of any dialect reads, in a constant number of queries."""
        memberships = Prefetch("owner__memberships", TeamMember.objects.select_related("team"))
        return self.select_related(
            "step__pipeline", "owner", "created_by", "client_folder", "contact", "reminder_activity"
        ).prefetch_related("tags", memberships)

    def with_email(self, address: str):
        """Leads whose description or comments name this address."""
        return self.filter(pk__in=self.keys().address(address).values("lead"))

    def with_key_value(self, field_name: str, value: str):
        """Leads whose key field of this name says this."""
        return self.filter(pk__in=self.keys().value(field_name, value).values("lead"))

    def keys(self):
        return self.model._meta.get_field("keys").related_model.objects.all()

    def unassigned(self):
        return self.filter(owner=None)

    def visible_to(self, user):
        """Admins see every lead; others what the account's setting and their teams allow."""
        if user is None or user.is_admin or user.account_id is None:
            return self
        visibility = user.account.lead_visibility
        if visibility == Account.Visibility.EVERYONE:
            seen = Q(owner__isnull=False)
        elif visibility == Account.Visibility.TEAM:
            seen = Q(owner__in=TeamMember.objects.beside(user).values("user")) | Q(owner=user)
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
    title_key = models.CharField(max_length=250, editable=False, default="")
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
    reminder_activity = models.ForeignKey(
        "crm.ActivityType", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
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
            models.Index(
                fields=["account", "id"],
                condition=Q(deleted_at=None, owner__isnull=False),
                name="lead_assigned",
            ),
            models.Index(
                fields=["account", "owner", "id"],
                condition=Q(deleted_at=None, starred=True),
                name="lead_starred",
            ),
            models.Index(
                fields=["account", "created_at", "id"], condition=Q(deleted_at=None), name="lead_created"
            ),
            models.Index(
                fields=["account", "reminder_at", "id"],
                condition=Q(deleted_at=None, reminder_at__isnull=False),
                name="lead_reminder",
            ),
            models.Index(
                fields=["account", "closed_at", "id"],
                condition=Q(deleted_at=None, closed_at__isnull=False),
                name="lead_closed",
            ),
            models.Index(
                fields=["account", "title_key", "id"], condition=Q(deleted_at=None), name="lead_title"
            ),
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

    def save(self, *args, **kwargs):
        self.title_key = self.key_of(self.title)
        if "title" in (kwargs.get("update_fields") or ()):
            kwargs["update_fields"] = [*kwargs["update_fields"], "title_key"]
        super().save(*args, **kwargs)

    @staticmethod
    def key_of(title: str) -> str:
        """Two spellings of one title: case and runs of blanks do not matter."""
        return " ".join(title.split()).casefold()[:250]

    @property
    def name(self) -> str:
        return self.title

    @property
    def is_closed(self) -> bool:
        return self.status in self.CLOSED

    def search_text(self) -> str:
        """With the keys, an address is found wherever in the lead's texts it stands."""
        keys = " ".join(key.value for key in self.keys.all())
        return f"{self.title} {self.client_folder or ''} {self.description[:2000]} {keys}"

    @classmethod
    def search_texts(cls, ids: list[int]) -> list[tuple[int, str]]:
        rows = cls.objects.alive().filter(pk__in=ids).select_related("client_folder").prefetch_related("keys")
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
            "reminder_activity": named(self.reminder_activity),
            "reminder_note": self.reminder_note,
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
