from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models import Lead
from outreach.models.campaign import Campaign, SequenceStep
from outreach.models.conversation import Conversation
from outreach.models.enrolment import Enrolment
from outreach.models.linkedin import LinkedInAccount
from outreach.models.mailbox import EmailAccount
from pipelime.ledger import LedgerRow
from pipelime.scope import AccountOwned, AccountQuerySet


class MessageQuerySet(AccountQuerySet):
    def direct(self):
        """Mails to one lead, which belong to no campaign and carry their own words."""
        return self.filter(frozen__isnull=False)

    def visible_to(self, user):
        """Mails of campaigns are everybody's; one to a lead is for those who may see the lead, and an answer
        for those who may see the conversation."""
        if user is None or user.account_id is None or user.is_admin:
            return self
        on_linkedin = Q(channel__in=SequenceStep.LINKEDIN)
        leads, talks = (model.objects.visible_to(user).values("pk") for model in (Lead, Conversation))
        mine = Q(lead__in=leads) | Q(conversation__in=talks) | Q(created_by=user)
        return self.filter(Q(frozen__isnull=True) | on_linkedin | mine)


class Message(LedgerRow, AccountOwned):
    """One step done for one contact, from intention to outcome: a mail, a LinkedIn message, a call, a task.

    Unrepeatable: `sending` is committed before the last dot, or before the provider is asked. What a person
    does waits for them as `todo`. It keeps copies of what it needs to be understood after its campaign,
    contact or mailbox is gone. A mail of a campaign is written as it is sent, from the campaign's words of
    that moment; a direct one was written when somebody asked for it, and `frozen` is what it says.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        CLAIMED = "claimed"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        AMBIGUOUS = "ambiguous"
        CANCELLED = "cancelled"
        TODO = "todo"  # for a person to do
        SKIPPED = "skipped"  # a person chose not to

    OPEN = (State.QUEUED, State.CLAIMED, State.SENDING, State.TODO)
    Channel = SequenceStep.Channel

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED, editable=False)
    channel = models.CharField(
        max_length=20, choices=Channel, default=Channel.EMAIL, db_default=Channel.EMAIL
    )
    enrolment = models.ForeignKey(Enrolment, null=True, on_delete=models.SET_NULL, related_name="messages")
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.SET_NULL, related_name="messages")
    mailbox = models.ForeignKey(EmailAccount, null=True, on_delete=models.SET_NULL, related_name="messages")
    linkedin_account = models.ForeignKey(
        LinkedInAccount, null=True, on_delete=models.SET_NULL, related_name="messages"
    )
    conversation = models.ForeignKey(
        Conversation, null=True, on_delete=models.SET_NULL, related_name="messages"
    )  # of what a person wrote there: an answer, which no daily limit counts
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )  # who does it, if a person does
    contact_uid = models.UUIDField(null=True)
    lead = models.ForeignKey(
        Lead, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )  # most have none, so their index is a partial one
    # {"subject", "text", "html", "can_leave"} of a direct mail; "references" of one that answers another.
    frozen = models.JSONField(null=True, editable=False)
    template_name = models.CharField(max_length=250, blank=True, default="", db_default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,  # nobody asks for it, and users are disabled, not deleted
        editable=False,
    )
    step_number = models.PositiveSmallIntegerField()  # 0 of a direct mail
    variant = models.CharField(max_length=10, blank=True)
    to_address = models.CharField(max_length=254)
    to_name = models.CharField(max_length=510, blank=True)
    from_address = models.CharField(max_length=254)
    campaign_name = models.CharField(max_length=250)
    message_id = models.CharField(max_length=320, unique=True)
    subject = models.CharField(max_length=998, blank=True)
    slot_at = models.DateTimeField(
        default=timezone.now, editable=False
    )  # the plan's moment; due_at moves on retries
    # The days whose counters this message raised when it was claimed.
    campaign_day = models.DateField(null=True, editable=False)
    mailbox_day = models.DateField(null=True, editable=False)
    account_day = models.DateField(null=True, editable=False)
    followed_up = models.BooleanField(default=False, editable=False)  # its enrolment has moved on
    sent_at = models.DateTimeField(null=True, blank=True)
    # What was written on LinkedIn, or noted of a call; mails are written from the step's words.
    text = models.TextField(blank=True, default="", db_default="")
    outcome = models.CharField(max_length=60, blank=True, default="", db_default="")  # of a call or a task
    provider_id = models.CharField(max_length=250, blank=True, default="", db_default="", editable=False)
    # What came back, the first time it did.
    replied_at = models.DateTimeField(null=True, editable=False)
    away_at = models.DateTimeField(null=True, editable=False)  # an out-of-office notice
    bounced_at = models.DateTimeField(null=True, editable=False)
    complained_at = models.DateTimeField(null=True, editable=False)
    unsubscribed_at = models.DateTimeField(null=True, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    clicked_at = models.DateTimeField(null=True, editable=False)
    machine_opened_at = models.DateTimeField(null=True, editable=False)
    machine_clicked_at = models.DateTimeField(null=True, editable=False)
    settled_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "step_number"], condition=~Q(state="cancelled"), name="message_step_once"
            )
        ]
        indexes = [
            *LedgerRow.indexes("message", owner="mailbox"),
            models.Index(fields=["campaign", "state", "id"], name="message_campaign"),
            models.Index(
                fields=["account", "id"],
                condition=Q(state="sent", followed_up=False),
                name="message_to_follow",
            ),
            models.Index(
                fields=["account", "id"],
                condition=Q(state="skipped", followed_up=False),
                name="message_skipped",
            ),
            models.Index(fields=["mailbox", "slot_at", "id"], name="message_slot"),  # the last one
            models.Index(fields=["account", "id"], name="message_account"),
            models.Index(fields=["account", "sent_at"], name="message_sent"),
            models.Index(fields=["mailbox", "id"], condition=Q(state="ambiguous"), name="message_doubtful"),
            models.Index(fields=["account", "to_address"], name="message_to"),
            models.Index(
                fields=["account", "state", "id"], condition=Q(frozen__isnull=False), name="message_direct"
            ),
            models.Index(fields=["lead", "id"], condition=Q(lead__isnull=False), name="message_lead"),
            models.Index(fields=["account", "due_at", "id"], condition=Q(state="todo"), name="message_todo"),
            models.Index(
                fields=["linkedin_account", "due_at", "id"],
                condition=Q(state="queued"),
                name="message_linkedin",
            ),
            models.Index(fields=["account", "contact_uid", "id"], name="message_contact"),
        ]

    def __str__(self):
        return f"{self.to_address}: {self.subject}"

    @property
    def is_direct(self) -> bool:
        return self.frozen is not None

    @property
    def profile_url(self) -> str:
        """Where on LinkedIn it goes: as it was asked for, or as the contact has it."""
        if self.frozen is not None:
            return self.frozen.get("profile", "")
        return self.enrolment.contact.linkedin_url if self.enrolment else ""

    @property
    def done_event(self) -> str:
        """What history says once it is done."""
        if self.channel == self.Channel.LINKEDIN_INVITATION:
            return "connection.sent"
        by_hand = self.channel in (self.Channel.CALL, self.Channel.TASK)
        return "step_task.done" if by_hand else "message.sent"

    @property
    def parent(self) -> Lead | None:
        """A mail to a lead belongs to the lead's history."""
        return self.lead

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "to": self.to_address,
            "name": self.to_name,
            "from": self.from_address,
            "subject": self.subject,
            "status": self.state,
            "channel": self.channel,
            "step": self.step_number,
            "variant": self.variant,
            "message_id": self.message_id,
            "campaign": self.campaign_name,
            "contact_id": str(self.contact_uid) if self.contact_uid else None,
            "template": self.template_name,
            "lead_id": str(self.lead.uid) if self.lead else None,
            "sent_at": self.sent_at.isoformat() if self.sent_at else None,
            "error": self.last_error,
        }
