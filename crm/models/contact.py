from django.conf import settings
from django.db import models
from django.db.models import Q

from crm.models.company import Company
from crm.models.record import Record, RecordQuerySet, named
from crm.models.tag import Tag
from pipelime.accounts.models import check_time_zone
from pipelime.scope import AccountOwned


class ContactQuerySet(RecordQuerySet):
    def with_parts(self):
        """Everything a serializer of any dialect reads, in a constant number of queries."""
        return self.select_related("company").prefetch_related("emails", "tags")

    def with_address(self, key: str):
        return self.filter(emails__email_key=key)


class Contact(Record):
    """A person. Any of their addresses identifies them; without one, their LinkedIn page does."""

    SEARCH_KIND = "contact"

    class Status(models.TextChoices):
        ACTIVE = "active"
        UNSUBSCRIBED = "unsubscribed"
        BOUNCED = "bounced"
        BLOCKED = "blocked"

    first_name = models.CharField(max_length=250, blank=True)
    last_name = models.CharField(max_length=250, blank=True)
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="contacts"
    )
    job_title = models.CharField(max_length=250, blank=True)
    phone = models.CharField(max_length=64, blank=True)
    linkedin_url = models.CharField("LinkedIn", max_length=500, blank=True)
    location = models.CharField(max_length=250, blank=True)
    time_zone = models.CharField(
        max_length=64, blank=True, default="", db_default="", validators=[check_time_zone]
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="contacts")

    objects = ContactQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "id"], condition=Q(deleted_at=None), name="contact_alive"),
            models.Index(fields=["account", "updated_at", "id"], name="contact_updated"),
            models.Index(fields=["account", "last_name", "id"], name="contact_last_name"),
            models.Index(
                fields=["account", "linkedin_url"], condition=~Q(linkedin_url=""), name="contact_linkedin"
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email or self.phone or self.linkedin_url

    @property
    def primary(self) -> "ContactEmail | None":
        """The main address; reads the prefetched rows when there are any."""
        emails = sorted(self.emails.all(), key=lambda email: (not email.is_primary, email.pk))
        return emails[0] if emails else None

    @property
    def email(self) -> str | None:
        return self.primary.address if self.primary else None

    def search_text(self) -> str:
        addresses = " ".join(email.address for email in self.emails.all())
        company = self.company.name if self.company else ""
        return f"{self.first_name} {self.last_name} {addresses} {company} {self.job_title} {self.phone}"

    @classmethod
    def search_texts(cls, ids: list[int]) -> list[tuple[int, str]]:
        rows = cls.objects.alive().filter(pk__in=ids).select_related("company").prefetch_related("emails")
        return [(contact.pk, contact.search_text()) for contact in rows]

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "email": self.email,
            "emails": [
                {"address": email.address, "label": email.label, "is_primary": email.is_primary}
                for email in self.emails.all()
            ],
            "name": self.name,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "company": named(self.company),
            "job_title": self.job_title,
            "phone": self.phone,
            "linkedin_url": self.linkedin_url,
            "location": self.location,
            "time_zone": self.time_zone,
            "status": self.status,
            "tags": sorted((tag.name for tag in self.tags.all()), key=str.casefold),
            "custom_fields": self.custom_fields,
            "owner_id": self.owner_id,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


class ContactEmail(AccountOwned):
    """One address as typed; `email_key` is what identifies it, null once the contact is deleted."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="emails")
    address = models.CharField(max_length=254)
    email_key = models.CharField(max_length=254, null=True, editable=False)
    label = models.CharField(max_length=50, blank=True)
    is_primary = models.BooleanField(default=False)

    class Meta:
        ordering = ["-is_primary", "id"]
        constraints = [models.UniqueConstraint(fields=["account", "email_key"], name="contact_email_once")]

    def __str__(self):
        return self.address
