from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models import Contact, Lead
from outreach.models.enrolment import Enrolment
from outreach.models.linkedin import LinkedInAccount
from outreach.models.mailbox import EmailAccount
from pipelime.scope import AccountOwned


class Conversation(AccountOwned):
    """Everything between one sender of ours, a mailbox or a LinkedIn account, and one person."""

    mailbox = models.ForeignKey(
        EmailAccount, null=True, blank=True, on_delete=models.CASCADE, related_name="conversations"
    )
    linkedin_account = models.ForeignKey(
        LinkedInAccount, null=True, blank=True, on_delete=models.CASCADE, related_name="conversations"
    )
    # The key of their address, or their profile's address in its normal form.
    counterpart = models.CharField(max_length=500)
    name = models.CharField(max_length=510, blank=True)
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    lead = models.ForeignKey(Lead, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    subject = models.CharField(max_length=998, blank=True)
    preview = models.CharField(max_length=100, blank=True)  # how the last words begin
    provider_id = models.CharField(max_length=250, blank=True)
    last_is_theirs = models.BooleanField(default=False)
    last_at = models.DateTimeField(default=timezone.now)
    unread = models.PositiveIntegerField(default=0)
    intent = models.CharField(max_length=14, choices=Enrolment.Intent, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-last_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "counterpart"], condition=Q(mailbox__isnull=False), name="mail_talk_once"
            ),
            models.UniqueConstraint(
                fields=["linkedin_account", "counterpart"],
                condition=Q(linkedin_account__isnull=False),
                name="linkedin_talk_once",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-last_at", "-id"], name="conversation_last"),
            models.Index(fields=["contact", "-last_at"], name="conversation_contact"),
        ]

    def __str__(self):
        return self.name or self.counterpart

    @property
    def sender(self) -> EmailAccount | LinkedInAccount | None:
        return self.mailbox or self.linkedin_account

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "counterpart": self.counterpart,
            "subject": self.subject,
            "intent": self.intent,
            "is_closed": self.closed_at is not None,
            "contact_id": str(self.contact.uid) if self.contact else None,
            "lead_id": str(self.lead.uid) if self.lead else None,
        }
