"""Account, User, Team, and the credentials that programs and devices hold."""

from __future__ import annotations

import secrets
import zoneinfo
from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from pipelime.ids import uuid7
from pipelime.ledger import LedgerRow
from pipelime.scope import AccountOwned, AccountQuerySet, check_rows


def new_inbound_key() -> str:
    """The secret part of an account's inbound address: whoever knows it may write leads."""
    return secrets.token_hex(8)


def check_time_zone(value: str) -> None:
    if value not in zoneinfo.available_timezones():
        raise ValidationError(f"{value!r} is no time zone; use a name such as Europe/Paris")


class Account(models.Model):
    """A customer of this installation: everything else belongs to one."""

    class Plan(models.TextChoices):
        STARTER = "starter", "Starter"
        PROFESSIONAL = "professional", "Professional"
        ENTERPRISE = "enterprise", "Enterprise"

    class Visibility(models.TextChoices):
        EVERYONE = "everyone", "everyone sees every lead"
        TEAM = "team", "leads of one's teams"
        OWN = "own", "one's own leads"

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=250)
    slug = models.SlugField(max_length=63, unique=True)
    plan = models.CharField(max_length=20, choices=Plan, default=Plan.ENTERPRISE)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    locale = models.CharField(max_length=10, default="en")
    currency = models.CharField(max_length=3, default="EUR")
    postal_address = models.TextField(
        blank=True, help_text="Every campaign mail must carry one; a campaign may have its own."
    )
    lead_visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.EVERYONE)
    settings = models.JSONField(default=dict, blank=True)
    # Mail to <slug>+<this>@ the installation's inbound domain becomes leads.
    inbound_key = models.CharField(max_length=32, unique=True, default=new_inbound_key, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self):
        return self.name

    @property
    def is_suspended(self) -> bool:
        return self.suspended_at is not None

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    def snapshot(self) -> dict:
        texts = ("name", "slug", "plan", "time_zone", "locale", "currency")
        texts += ("postal_address", "lead_visibility")
        return {
            "id": str(self.uid),
            "number": self.pk,
            **{name: getattr(self, name) for name in texts},
            "settings": self.settings,
            "is_suspended": self.is_suspended,
        }


class UserQuerySet(AccountQuerySet):
    def active(self):
        return self.filter(disabled_at=None)

    def admins(self):
        return self.active().filter(is_admin=True)


class UserManager(DjangoUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """`get_by_natural_key` and friends come from Django; making people is `accounts.people`'s work."""

    use_in_migrations = False

    def get_by_natural_key(self, email):
        return self.get(email=self.model.normalise(email))


class User(AbstractBaseUser):
    """A person who works in an account, known by e-mail. Without an account: an operator."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="+", editable=False
    )
    email = models.EmailField(max_length=254, unique=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=64, blank=True)
    mobile_phone = models.CharField(max_length=64, blank=True)
    job_title = models.CharField(max_length=250, blank=True)
    im_type = models.CharField("messenger", max_length=50, blank=True)
    im = models.CharField("messenger name", max_length=150, blank=True)
    is_admin = models.BooleanField("administrator", default=False)
    is_superuser = models.BooleanField(default=False, editable=False)
    locale = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=64, blank=True, validators=[check_time_zone])
    default_reminder_duration = models.PositiveSmallIntegerField(default=30, help_text="Minutes.")
    sees_unassigned = models.BooleanField("sees unassigned leads", default=True)
    wants_assignment_mail = models.BooleanField("is mailed when a lead is assigned", default=True)
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Part of every session's and link's signature: raising it ends them all, for good.
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        indexes = [models.Index(fields=["account", "id"], name="user_account")]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.email = self.normalise(self.email)
        if kwargs.get("update_fields") != ["last_login"]:  # Django's login stores this before a scope exists
            check_rows([self], kwargs.get("update_fields"))
        super().save(*args, **kwargs)

    @staticmethod
    def normalise(email: str) -> str:
        return (email or "").strip().casefold()

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    def _get_session_auth_hash(self, secret=None) -> str:
        signed = f"{self.password}:{self.session_epoch}"
        return salted_hmac("pipelime.accounts.session", signed, secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_staff(self) -> bool:
        """The workspace is Django's admin: everybody who may log in works there."""
        return self.is_active

    # What people may do comes from role and visibility in the account-scoped admin, not from Django's
    # permission tables; these only let Django's and the theme's templates ask.
    def has_perm(self, perm, obj=None) -> bool:
        return self.is_active

    def has_module_perms(self, app_label) -> bool:
        return self.is_active

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.first_name or self.email

    @property
    def actor(self) -> tuple[int | None, str]:
        """How history names whoever did something: a user's id, and words for people."""
        return (self.pk if self.account_id else None), self.name

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "email": self.email,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "is_admin": self.is_admin,
            "is_disabled": self.disabled_at is not None,
        }


class Team(AccountOwned):
    name = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="team_name_once")]
        ordering = ["name"]

    def __str__(self):
        return self.name

    def snapshot(self) -> dict:
        return {"id": str(self.uid), "number": self.pk, "name": self.name}


class TeamMemberQuerySet(AccountQuerySet):
    def beside(self, user):
        """Everybody's memberships in the teams of this user."""
        return self.filter(team__in=self.model.objects.filter(user=user).values("team"))


class TeamMember(AccountOwned):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    is_manager = models.BooleanField("manager", default=False)

    objects = TeamMemberQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="team_member_once")]

    def __str__(self):
        return f"{self.user} in {self.team}"


class Credential(AccountOwned):
    """What a program shows: a look-up part in clear and the SHA-256 of the whole. The rest is not stored."""

    lookup = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class ApiKey(Credential):
    """A program's key to one account, valid in every dialect, within its scopes."""

    name = models.CharField(max_length=150)
    scopes = models.JSONField(default=list, help_text='Such as "contacts:read", or "*" for everything.')
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["-id"]

    def __str__(self):
        return self.name

    @property
    def prefix(self) -> str:
        return f"ki_{self.lookup}"

    @property
    def actor(self) -> tuple[int | None, str]:
        return None, f"API key {self.name}"

    def snapshot(self) -> dict:
        return {"id": str(self.uid), "name": self.name, "prefix": self.prefix, "scopes": self.scopes}


class UserToken(Credential):
    """What a device holds after a login over an API: 30 days, the user's rights."""

    LIFE = timedelta(days=30)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")


class Notice(LedgerRow, AccountOwned):
    """A mail of the system itself: activation, password reset, a warning. Repeatable: twice is no harm."""

    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=250)
    text = models.TextField()

    class Meta:
        indexes = LedgerRow.indexes("notice")
