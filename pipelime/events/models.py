"""Event: something that happened, never changed. JournalEntry: its place in the order of commits."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from pipelime.scope import AccountOwned, AccountQuerySet


class EventQuerySet(AccountQuerySet):
    def about(self, subject):
        return self.filter(subject_type=subject._meta.model_name, subject_id=subject.pk)

    def history_of(self, subject):
        """What happened to it and to what belongs to it, such as its comments."""
        name, pk = subject._meta.model_name, subject.pk
        return self.filter(
            Q(subject_type=name, subject_id=pk) | Q(parent_type=name, parent_id=pk, parent_id__isnull=False)
        )


class Event(AccountOwned):
    """A past-tense fact. `data` = {"object": own fields, "changes": {field: [old, new]}, …}."""

    name = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=310, blank=True)
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    subject_uid = models.UUIDField()
    # Whose history it belongs to beside its subject's: the lead of a comment, the list of a prospect.
    parent_type = models.CharField(max_length=40, blank=True, default="", db_default="")
    parent_id = models.BigIntegerField(null=True)
    data = models.JSONField()
    # On PostgreSQL the transaction that wrote the event, by which the journal finds what has
    # committed since it last looked; on SQLite, where commits are in order of id, always null.
    transaction = models.BigIntegerField(null=True, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "id"], name="event_account"),
            models.Index(fields=["subject_type", "subject_id", "id"], name="event_subject"),
            models.Index(
                fields=["parent_type", "parent_id", "id"],
                condition=Q(parent_id__isnull=False),
                name="event_parent",
            ),
            models.Index(
                fields=["transaction", "id"],
                condition=Q(transaction__isnull=False),  # nothing to keep up to date on SQLite
                name="event_transaction",
            ),
            models.Index(fields=["at"], name="event_at"),
        ]

    def __str__(self):
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def facts(self) -> dict:
        """Its subject as it was when this had happened; nothing where a person's data was erased."""
        return self.data.get("object") or {}


class JournalEntry(models.Model):
    """On PostgreSQL, the position of an event in the order in which readers may see them."""

    position = models.BigAutoField(primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="journal_entry")
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")

    objects = AccountQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "position"], name="journal_account")]


class JournalHorizon(models.Model):
    """One row: every transaction below this number has been journalled."""

    transaction = models.BigIntegerField(default=0)
