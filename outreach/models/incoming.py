from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from crm.models import Contact
from outreach.models.conversation import Conversation
from outreach.models.enrolment import Enrolment
from outreach.models.linkedin import LinkedInAccount
from outreach.models.mailbox import EmailAccount
from outreach.models.message import Message
from pipelime.scope import AccountOwned


class Incoming(AccountOwned):
    """What came back: an answer, a notice of absence, a bounce, a complaint; by mail or on LinkedIn.

    Only what belongs to something that we sent, or to somebody whom we write to, is kept: a mailbox holds
    private mail, too.
    """

    class Kind(models.TextChoices):
        REPLY = "reply", "Reply"
        AUTO_REPLY = "auto_reply", "Automatic reply"
        OUT_OF_OFFICE = "out_of_office", "Out of office"
        BOUNCE = "bounce", "Bounce"
        COMPLAINT = "complaint", "Complaint"
        UNSUBSCRIBE = "unsubscribe", "Unsubscribe"

    kind = models.CharField(max_length=14, choices=Kind)
    mailbox = models.ForeignKey(EmailAccount, null=True, on_delete=models.CASCADE, related_name="incoming")
    linkedin_account = models.ForeignKey(
        LinkedInAccount, null=True, on_delete=models.CASCADE, related_name="incoming"
    )
    conversation = models.ForeignKey(
        Conversation, null=True, on_delete=models.SET_NULL, related_name="incoming"
    )
    message = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="answers")
    enrolment = models.ForeignKey(Enrolment, null=True, on_delete=models.SET_NULL, related_name="answers")
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="+")
    from_address = models.CharField(max_length=500)
    from_name = models.CharField(max_length=510, blank=True)
    subject = models.CharField(max_length=998, blank=True)
    text = models.TextField(blank=True)  # without what it quotes
    whole_text = models.TextField(blank=True)
    external_id = models.CharField(max_length=998, blank=True)  # theirs, or the provider's id
    references = models.TextField(blank=True)  # one a line, the oldest first, without their own
    intent = models.CharField(max_length=14, choices=Enrolment.Intent, blank=True)
    back_on = models.DateField(null=True)  # of a notice of absence
    status_code = models.CharField(max_length=12, blank=True)  # of a bounce: 5.1.1
    diagnostic = models.CharField(max_length=1000, blank=True)
    is_final = models.BooleanField(default=True, db_default=True)  # of a bounce: they have given up
    # Their Message-ID, or what identifies them where it is missing: the same mail is taken once.
    digest = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "incoming"
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "digest"], condition=Q(mailbox__isnull=False), name="mail_taken_once"
            ),
            models.UniqueConstraint(
                fields=["linkedin_account", "digest"],
                condition=Q(linkedin_account__isnull=False),
                name="linkedin_taken_once",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "kind", "at"], name="incoming_kind"),
            models.Index(fields=["conversation", "at", "id"], name="incoming_talk"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} from {self.from_address}"

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "kind": self.kind,
            "from": self.from_address,
            "name": self.from_name,
            "subject": self.subject,
            "text": self.text[:1000],
            "intent": self.intent,
        }


class MailFolder(AccountOwned):
    """How far a folder of a mailbox has been read."""

    mailbox = models.ForeignKey(EmailAccount, on_delete=models.CASCADE, related_name="folders")
    name = models.CharField(max_length=250)
    uid_validity = models.PositiveBigIntegerField(default=0)
    last_uid = models.PositiveBigIntegerField(default=0)
    polled_at = models.DateTimeField(null=True)  # the last time that it worked
    tried_at = models.DateTimeField(null=True)
    # The mailbox's next poll, of its INBOX; whoever polls moves it on, which keeps the others off.
    due_at = models.DateTimeField(default=timezone.now, db_default=Now())
    failures = models.PositiveSmallIntegerField(default=0, db_default=0)  # polls in a row that did not work
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)  # at the mail behind the last uid
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "name"], name="mail_folder_once")]

    def __str__(self):
        return f"{self.mailbox}/{self.name}"
