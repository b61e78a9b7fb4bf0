from django.db import models
from django.utils import timezone

from pipelime.scope import AccountOwned


class Field(AccountOwned):
    """The definition of a field that an account added to its leads, companies or contacts."""

    class Kind(models.TextChoices):
        LEAD = "lead"
        COMPANY = "company"
        CONTACT = "contact"

    class Type(models.TextChoices):
        TEXT = "text"
        EMAIL = "email"
        PHONE = "phone"
        URL = "url"
        NUMBER = "number"
        DATE = "date"

    class Meaning(models.TextChoices):
        """What a field stands for, whatever people of the account call it."""

        EMAIL = "email"
        PHONE = "phone"
        MOBILE = "mobile"
        ADDRESS = "address"
        WEB = "web"
        FIRST_NAME = "first_name"
        LAST_NAME = "last_name"
        FULL_NAME = "full_name"
        JOB = "job"
        FAX = "fax"
        VAT = "vat"
        CITY = "city"
        ZIPCODE = "zipcode"
        STATE = "state"
        COUNTRY = "country"
        COMPANY_ID = "company_id"
        CUSTOM1 = "custom1"
        CUSTOM2 = "custom2"
        CUSTOM3 = "custom3"
        CUSTOM4 = "custom4"
        CUSTOM5 = "custom5"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=100)
    key = models.SlugField(max_length=60, allow_unicode=False)
    type = models.CharField(max_length=10, choices=Type, default=Type.TEXT)
    meaning = models.CharField(max_length=10, choices=Meaning, blank=True)
    is_key = models.BooleanField("finds duplicates", default=False)
    position = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["kind", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "kind", "name"], name="field_name_once"),
            models.UniqueConstraint(fields=["account", "kind", "key"], name="field_key_once"),
        ]

    def __str__(self):
        return self.name

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "kind": self.kind,
            "name": self.name,
            "key": self.key,
            "type": self.type,
            "meaning": self.meaning,
        }
