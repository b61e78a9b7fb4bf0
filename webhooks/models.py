"""Endpoint: who wants to hear. Delivery: one event for one endpoint. Attempt: one try at it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from pipelime.accounts.models import ApiKey
from pipelime.encryption import EncryptedTextField
from pipelime.events.models import Event
from pipelime.ledger import LedgerRow
from pipelime.scope import AccountOwned, AccountQuerySet


class EndpointQuerySet(AccountQuerySet):
    def on_menu(self):
        """Those that people may set off from a lead's page."""
        return self.filter(on_menu=True, disabled_at=None)


class Endpoint(AccountOwned):
    """A URL or a mail address that hears of events. Its secret is shown once, when it is made or rotated."""

    class TargetType(models.TextChoices):
        URL = "url", "a URL"
        EMAIL = "email", "a mail address"

    name = models.CharField(max_length=150, blank=True, default="", db_default="")
    target_type = models.CharField(
        max_length=10, choices=TargetType, default=TargetType.URL, db_default="url", editable=False
    )
    url = models.CharField("URL", max_length=2000, blank=True)
    email = models.EmailField("e-mail", max_length=254, blank=True, default="", db_default="")
    description = models.CharField(max_length=250, blank=True)
    events = models.JSONField(default=list, help_text='Event names, "lead.*", or "*" for all.')
    dialect = models.CharField(max_length=20, default="native", editable=False)
    on_menu = models.BooleanField("in the menu of leads", default=False, db_default=False)
    # A digest of events and target in dialects that know each pair of them once.
    target_key = models.CharField(max_length=64, null=True, editable=False)
    secret = EncryptedTextField(editable=False)
    old_secret = EncryptedTextField(blank=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    api_key = models.ForeignKey(
        ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=500, blank=True, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    warned_at = models.DateTimeField(null=True, blank=True, editable=False)
    served_at = models.DateTimeField(null=True, blank=True, editable=False)  # fairness between endpoints
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["account", "target_key"], name="endpoint_target_once")]

    def __str__(self):
        return self.name or self.target

    @property
    def target(self) -> str:
        return self.email if self.target_type == self.TargetType.EMAIL else self.url

    @property
    def is_enabled(self) -> bool:
        return self.disabled_at is None

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "target_type": self.target_type,
            "url": self.url,
            "email": self.email,
            "description": self.description,
            "events": self.events,
            "dialect": self.dialect,
            "on_menu": self.on_menu,
            "is_enabled": self.is_enabled,
            "disabled_reason": self.disabled_reason,
        }


class Delivery(LedgerRow, AccountOwned):
    """One event on its way to one endpoint. The body is frozen; the dialect may wrap it anew each time."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, null=True, on_delete=models.SET_NULL, related_name="+")
    event_name = models.CharField(max_length=400)  # as the endpoint's dialect calls it
    body = models.TextField(blank=True)  # emptied after the retention of bodies
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        indexes = [
            *LedgerRow.indexes("delivery", owner="endpoint"),
            models.Index(fields=["endpoint", "id"], name="delivery_endpoint"),
            models.Index(fields=["created_at"], name="delivery_created"),
        ]

    def __str__(self):
        return f"{self.event_name} to {self.endpoint_id}"

    @property
    def webhook_id(self) -> str:
        return f"msg_{self.uid.hex}"


class Attempt(models.Model):
    """One try: what was answered, or why nothing was."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)
    answer = models.TextField(blank=True)
    seconds = models.FloatField(default=0)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="attempt_at")]
