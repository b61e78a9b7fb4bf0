import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from outreach.models.linkedin import LinkedInAccount
from outreach.models.mailbox import EmailAccount
from pipelime.accounts.models import check_time_zone
from pipelime.scope import AccountOwned, AccountQuerySet


class CampaignQuerySet(AccountQuerySet):
    def alive(self):
        return self.filter(deleted_at=None, is_template=False)

    def templates(self):
        return self.filter(deleted_at=None, is_template=True)

    def with_parts(self):
        return self.prefetch_related("steps", "mailboxes", "linkedin_accounts")


def new_seed() -> str:
    return secrets.token_hex(16)


class Campaign(AccountOwned):
    """A sequence of steps for many contacts, within windows and caps."""

    class Status(models.TextChoices):
        DRAFT = "DRAFT", "Draft"
        STARTED = "STARTED", "Started"
        PAUSED = "PAUSED", "Paused"
        FINISHED = "FINISHED", "Finished"

    class WindowZone(models.TextChoices):
        CAMPAIGN = "campaign", "the campaign's"
        MAILBOX = "mailbox", "the sender's"
        CONTACT = "contact", "the contact's, if known"

    class Priority(models.TextChoices):
        FOLLOW_UPS = "follow_ups", "Follow-ups first"
        NEW_CONTACTS = "new_contacts", "New contacts first"

    name = models.CharField(max_length=250)
    is_template = models.BooleanField(default=False, db_default=False, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    # [{"days": ["mon", …], "from": "09:00", "to": "17:00"}]; none means at any time.
    windows = models.JSONField(default=list, blank=True)
    window_zone = models.CharField(
        "windows are in whose time zone",
        max_length=10,
        choices=WindowZone,
        default=WindowZone.CAMPAIGN,
        db_default=WindowZone.CAMPAIGN,
    )
    holidays = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text="No mail on public holidays of this country or region, such as FR or DE-BY.",
    )
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    daily_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Mails a day, in the campaign's time zone; empty for no limit."
    )
    mailboxes = models.ManyToManyField(EmailAccount, blank=True, related_name="campaigns")
    linkedin_accounts = models.ManyToManyField(LinkedInAccount, blank=True, related_name="campaigns")
    priority = models.CharField(
        max_length=12, choices=Priority, default=Priority.FOLLOW_UPS, db_default=Priority.FOLLOW_UPS
    )
    stop_on_reply = models.BooleanField(default=True)
    stop_on_company_reply = models.BooleanField(default=False, db_default=False)
    track_opens = models.BooleanField(default=False, db_default=False)
    track_clicks = models.BooleanField(default=False, db_default=False)
    postal_address = models.TextField(blank=True, help_text="Empty: the account's own.")
    options = models.JSONField(default=dict, blank=True)
    seed = models.CharField(max_length=32, default=new_seed, editable=False)
    planned_at = models.DateTimeField(null=True, blank=True, editable=False)  # fairness between campaigns
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
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

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["planned_at", "id"],
                condition=Q(status="STARTED", deleted_at=None),
                name="campaign_running",
            )
        ]

    def __str__(self):
        return self.name

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "status": self.status,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


class SequenceStep(AccountOwned):
    """One step of a campaign: what is said, and how long after the step before."""

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        LINKEDIN_INVITATION = "linkedin_invitation", "LinkedIn invitation"
        LINKEDIN_MESSAGE = "linkedin_message", "LinkedIn message"
        CALL = "call", "Call"
        TASK = "task", "Task"

    class Condition(models.TextChoices):
        REPLIED = "replied", "the contact has replied"
        CONNECTED = "connected", "the contact is a connection"
        CLICKED = "clicked", "the contact has clicked a link"

    LINKEDIN = (Channel.LINKEDIN_INVITATION, Channel.LINKEDIN_MESSAGE)

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()  # from 1
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.EMAIL)
    delay_days = models.PositiveSmallIntegerField(default=0)
    delay_business_days = models.PositiveSmallIntegerField(default=0)
    delay_hours = models.PositiveSmallIntegerField(default=0)
    # Without it the step is passed over, and the next one's delay counts from when this one was due.
    condition = models.CharField(max_length=10, choices=Condition, blank=True, default="", db_default="")
    # [{"key": "A", "weight": 1, "subject": …, "body": …}]; one without a choice.
    variants = models.JSONField(default=list)

    class Meta:
        ordering = ["campaign_id", "number"]
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="step_number_once")]

    def __str__(self):
        return f"{self.campaign} step {self.number}"

    @property
    def subject(self) -> str:
        return self.variants[0]["subject"] if self.variants else ""

    @property
    def body(self) -> str:
        return self.variants[0]["body"] if self.variants else ""

    def variant(self, key: str) -> dict:
        return next((variant for variant in self.variants if variant["key"] == key), self.variants[0])
