from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from crm.importing.values import email_key
from outreach.models.domain import SendingDomain
from pipelime.accounts.models import check_time_zone
from pipelime.encryption import EncryptedTextField
from pipelime.scope import AccountOwned, AccountQuerySet


class MailboxQuerySet(AccountQuerySet):
    def alive(self):
        return self.filter(deleted_at=None)

    def of(self, user):
        """A person's own, the one with the address they log in with first."""
        own = self.alive().filter(owner=user)
        return sorted(own, key=lambda mailbox: (mailbox.email.casefold() != user.email, mailbox.pk))


class EmailAccount(AccountOwned):
    """A mailbox that campaigns send from, over its own SMTP server."""

    class Security(models.TextChoices):
        NONE = "none", "none"
        STARTTLS = "starttls", "STARTTLS"
        TLS = "tls", "TLS"

    class Login(models.TextChoices):
        PASSWORD = "password", "Password"
        GOOGLE = "google", "Google"
        MICROSOFT = "microsoft", "Microsoft"

    email = models.EmailField(max_length=254)
    login = models.CharField(max_length=10, choices=Login, default=Login.PASSWORD, db_default=Login.PASSWORD)
    # Of OAuth 2; a password login has none.
    refresh_token = EncryptedTextField(blank=True, default="", db_default="", editable=False)
    access_token = EncryptedTextField(blank=True, default="", db_default="", editable=False)
    access_until = models.DateTimeField(null=True, blank=True, editable=False)
    name = models.CharField("sender name", max_length=150, blank=True)
    signature = models.TextField(blank=True)
    smtp_host = models.CharField("SMTP host", max_length=253)
    smtp_port = models.PositiveIntegerField("SMTP port", default=587)
    smtp_security = models.CharField(
        "SMTP security", max_length=10, choices=Security, default=Security.STARTTLS
    )
    smtp_username = models.CharField("SMTP user", max_length=254, blank=True)
    smtp_password = EncryptedTextField("SMTP password", blank=True)
    imap_host = models.CharField("IMAP host", max_length=253, blank=True)
    imap_port = models.PositiveIntegerField("IMAP port", default=993)
    imap_security = models.CharField("IMAP security", max_length=10, choices=Security, default=Security.TLS)
    imap_username = models.CharField("IMAP user", max_length=254, blank=True)
    imap_password = EncryptedTextField("IMAP password", blank=True)
    daily_limit = models.PositiveIntegerField(
        default=200, help_text="Mails a day, in the mailbox's time zone."
    )
    time_zone = models.CharField(max_length=64, blank=True, validators=[check_time_zone])
    gap_seconds = models.PositiveIntegerField(
        "seconds between two mails, at least", default=0, db_default=0, help_text="0: as many as are due."
    )
    gap_jitter_seconds = models.PositiveIntegerField(
        "up to so many seconds more, by chance", default=0, db_default=0
    )
    ramp_up_from = models.PositiveIntegerField(
        null=True, blank=True, help_text="Mails on the first day of a new mailbox; empty: the daily limit."
    )
    ramp_up_by = models.PositiveIntegerField(
        default=0, db_default=0, help_text="So many more each day, up to the daily limit."
    )
    ramp_up_on = models.DateField("first day of the ramp-up", null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    pause_reason = models.CharField(max_length=500, blank=True, editable=False)
    served_at = models.DateTimeField(null=True, blank=True, editable=False)  # fairness between mailboxes
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Mail from templates to this person's leads goes out from here.",
    )
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

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name = "mailbox"
        verbose_name_plural = "mailboxes"
        ordering = ["email"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email"], condition=models.Q(deleted_at=None), name="mailbox_once"
            )
        ]

    def __str__(self):
        return self.email

    @property
    def domain(self) -> str:
        """Of its address, as the DNS knows it."""
        return email_key(self.email).rpartition("@")[2]

    @cached_property
    def signing_domain(self) -> SendingDomain | None:
        """Its domain, where mail of it is signed here."""
        own = SendingDomain.objects.filter(account_id=self.account_id, name=self.domain)
        return own.filter(signs=True).first()

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "email": self.email,
            "name": self.name,
            "daily_limit": self.daily_limit,
            "is_paused": self.paused_at is not None,
            "pause_reason": self.pause_reason,
        }
