from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models import Contact, Lead
from outreach.models.enrolment import Enrolment
from outreach.models.linkedin import LinkedInAccount
from outreach.models.mailbox import EmailAccount
from pipelime.scope import AccountOwned, AccountQuerySet


class ConversationQuerySet(AccountQuerySet):
    def visible_to(self, user):
        """Everybody's, until it becomes a lead: then those who may see the lead see it, and its assignee."""
        if user is None or user.account_id is None or user.is_admin:
            return self
        seen = Lead.objects.visible_to(user).values("pk")
        return self.filter(Q(lead=None) | Q(lead__in=seen) | Q(assignee=user))

    def open(self):
        return self.filter(closed_at=None)

    def unread(self):
        return self.filter(unread__gt=0)

    def waiting_for(self, user):
        """What this person should look at: unread, and given to nobody else."""
        return self.visible_to(user).unread().filter(Q(assignee=None) | Q(assignee=user))


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
    intent_by_hand = models.BooleanField(default=False, db_default=False)  # then no rule changes it
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConversationQuerySet.as_manager()

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
            models.Index(
                fields=["account", "-last_at", "-id"], condition=Q(unread__gt=0), name="conversation_unread"
            ),
        ]

    def __str__(self):
        return self.name or self.counterpart

    @property
    def sender(self) -> EmailAccount | LinkedInAccount | None:
        return self.mailbox or self.linkedin_account

    @property
    def parent(self) -> Lead | None:
        """Once it is a lead's, it belongs to the lead's history."""
        return self.lead

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
