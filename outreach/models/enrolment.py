from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models import Contact
from outreach.models.campaign import Campaign
from outreach.models.linkedin import LinkedInAccount
from outreach.models.mailbox import EmailAccount
from pipelime.scope import AccountOwned


class Enrolment(AccountOwned):
    """A contact's place in a campaign: which step comes next, and when."""

    class State(models.TextChoices):
        WAITING = "waiting"  # for its next step's time
        IN_FLIGHT = "in_flight"  # a message of it is in the ledger
        FINISHED = "finished"
        STOPPED = "stopped"
        HELD = "held"  # something must be mended first: `reason` says what
        PAUSED = "paused"  # by a person, until they let it go on

    class Intent(models.TextChoices):
        """What an answer says, as a person or a rule has read it."""

        INTERESTED = "interested", "Interested"
        NOT_NOW = "not_now", "Not now"
        NOT_INTERESTED = "not_interested", "Not interested"
        WRONG_PERSON = "wrong_person", "Wrong person"
        MEETING = "meeting", "Meeting"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="enrolments")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="enrolments")
    mailbox = models.ForeignKey(
        EmailAccount, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )  # sticky: whoever wrote first goes on writing
    linkedin_account = models.ForeignKey(
        LinkedInAccount, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    address = models.CharField(max_length=254, blank=True)  # empty where no step is a mail
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")  # the contact's
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=500, blank=True)
    step_number = models.PositiveSmallIntegerField(default=1)  # the step that is next, or in flight
    due_at = models.DateTimeField(default=timezone.now)
    parked_until = models.DateTimeField(null=True, blank=True)  # out of office; due_at has moved there
    replied_at = models.DateTimeField(null=True, blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)
    intent = models.CharField(max_length=14, choices=Intent, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "contact"], name="enrolled_once")]
        indexes = [
            models.Index(
                fields=["campaign", "mailbox", "step_number", "due_at", "id"],
                condition=Q(state="waiting"),
                name="enrolment_next",
            ),
            models.Index(fields=["campaign", "state", "id"], name="enrolment_state"),
            models.Index(fields=["contact", "id"], name="enrolment_contact"),
        ]

    def __str__(self):
        return f"{self.address or self.contact} in {self.campaign}"

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "email": self.address,
            "name": self.contact.name,
            "campaign_id": str(self.campaign.uid),
            "campaign": self.campaign.name,
            "contact_id": str(self.contact.uid),
            "status": self.state,
            "reason": self.reason,
            "step": self.step_number,
            "intent": self.intent,
        }
