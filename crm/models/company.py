from django.conf import settings
from django.db import models
from django.db.models import Q

from crm.models.record import Record


class Company(Record):
    """An organisation. `is_client` marks one that leads are filed under: a client folder."""

    SEARCH_KIND = "company"

    name = models.CharField(max_length=250)
    name_key = models.CharField(max_length=250, editable=False)
    domain = models.CharField(max_length=253, blank=True)
    description = models.TextField(blank=True)
    is_client = models.BooleanField("client", default=False)
    is_active = models.BooleanField("active", default=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name_plural = "companies"
        indexes = [
            models.Index(fields=["account", "name_key"], name="company_name"),
            models.Index(fields=["account", "id"], condition=Q(deleted_at=None), name="company_alive"),
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.name_key = self.key_of(self.name)
        if "name" in (kwargs.get("update_fields") or ()):
            kwargs["update_fields"] = [*kwargs["update_fields"], "name_key"]
        super().save(*args, **kwargs)

    @staticmethod
    def key_of(name: str) -> str:
        """Two spellings of one company: case and runs of blanks do not matter."""
        return " ".join(name.split()).casefold()[:250]

    def search_text(self) -> str:
        return f"{self.name} {self.domain}"

    @classmethod
    def search_texts(cls, ids: list[int]) -> list[tuple[int, str]]:
        rows = cls.objects.alive().filter(pk__in=ids).values_list("pk", "name", "domain")
        return [(pk, f"{name} {domain}") for pk, name, domain in rows]

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "domain": self.domain,
            "description": self.description,
            "is_client": self.is_client,
            "is_active": self.is_active,
            "owner_id": self.owner_id,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }
