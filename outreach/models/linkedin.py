from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from pipelime.accounts.models import check_time_zone
from pipelime.encryption import EncryptedTextField
from pipelime.scope import AccountOwned, AccountQuerySet


class LinkedInAccountQuerySet(AccountQuerySet):
    def alive(self):
        return self.filter(deleted_at=None)


class LinkedInAccount(AccountOwned):
    """Somebody's own LinkedIn profile. They do its steps by hand, unless a provider does them for them."""

    class Provider(models.TextChoices):
        NONE = "", "nobody: tasks for a person"
        UNIPILE = "unipile", "Unipile"

    name = models.CharField(max_length=150)
    profile_url = models.CharField("profile", max_length=500)
    daily_limit = models.PositiveIntegerField(
        default=20, help_text="Invitations and messages a day, in the account's time zone."
    )
    time_zone = models.CharField(max_length=64, blank=True, validators=[check_time_zone])
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Whose tasks its steps become.",
    )
    provider = models.CharField(max_length=10, choices=Provider, blank=True, default=Provider.NONE)
    provider_url = models.CharField("provider's address", max_length=500, blank=True)
    provider_account = models.CharField("account there", max_length=250, blank=True)
    provider_key = EncryptedTextField("provider's key", blank=True)
    hook_key = EncryptedTextField(blank=True, editable=False)  # of the address that the provider calls
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    pause_reason = models.CharField(max_length=500, blank=True, editable=False)
    served_at = models.DateTimeField(null=True, blank=True, editable=False)
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
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = LinkedInAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "LinkedIn account"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "profile_url"], condition=Q(deleted_at=None), name="linkedin_account_once"
            )
        ]

    def __str__(self):
        return self.name

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "profile_url": self.profile_url,
            "daily_limit": self.daily_limit,
            "provider": self.provider,
            "is_paused": self.paused_at is not None,
            "pause_reason": self.pause_reason,
        }
