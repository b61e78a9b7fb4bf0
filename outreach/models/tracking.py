from django.db import models
from django.db.models import Q
from django.utils import timezone

from outreach.models.message import Message
from pipelime.scope import AccountOwned


class TrackedLink(AccountOwned):
    """A web address in mails of this account. Clicks name its row and never the address itself."""

    url = models.CharField(max_length=2000)
    digest = models.CharField(max_length=64)  # of the address

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="tracked_link_once")]

    def __str__(self):
        return self.url


class Visit(AccountOwned):
    """An open or a click. Who it was, a person or a machine, is said once the burst around it can be seen.

    Neither the address nor the program of the visitor is kept.
    """

    class Verdict(models.TextChoices):
        UNKNOWN = "", "not judged yet"
        PERSON = "person", "a person"
        MACHINE = "machine", "a machine"

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="visits")
    link = models.ForeignKey(
        TrackedLink, null=True, on_delete=models.CASCADE, related_name="+"
    )  # null: an open
    looks_automatic = models.BooleanField(default=False)  # by what it said of itself
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True, default=Verdict.UNKNOWN)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["account", "at"], condition=Q(verdict=""), name="visit_to_judge"),
            models.Index(fields=["message", "at"], name="visit_message"),
        ]

    def __str__(self):
        return f"{'click' if self.link_id else 'open'} at {self.at}"
