from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from crm.models.lead import Lead
from crm.models.tag import Tag
from pipelime.accounts.models import Account, TeamMember
from pipelime.scope import AccountOwned, AccountQuerySet


class ProspectingListQuerySet(AccountQuerySet):
    def alive(self):
        return self.filter(deleted_at=None)

    def with_parts(self):
        """Everything a serializer of any dialect reads of a list, in a constant number of queries."""
        return self.select_related("owner").prefetch_related("tags")

    def with_counts(self):
        """`to_qualify_count`: the active rows that have not become leads yet."""
        waiting = Q(prospects__is_active=True, prospects__lead=None)
        return self.annotate(to_qualify_count=Count("prospects", filter=waiting))

    def visible_to(self, user):
        """Admins see every list; others the shared ones and those whose owners' leads they would see."""
        if user is None or user.is_admin or user.account.lead_visibility == Account.Visibility.EVERYONE:
            return self
        seen = Q(owner=user) | Q(privacy=ProspectingList.Privacy.EVERYONE)
        if user.account.lead_visibility == Account.Visibility.TEAM:
            seen |= Q(owner__in=TeamMember.objects.beside(user).values("user"))
        return self.filter(seen)


class ProspectingList(AccountOwned):
    """A sheet of people or companies to try: named columns, and one prospect a row."""

    MOST_ROWS = 5000
    MOST_COLUMNS = 26

    class Privacy(models.TextChoices):
        EVERYONE = "everyone", "everyone sees it"
        DEFAULT = "default", "as the account's leads"

    title = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    columns = models.JSONField(default=list)  # their names
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    privacy = models.CharField(max_length=10, choices=Privacy, default=Privacy.DEFAULT)
    tags = models.ManyToManyField(Tag, blank=True, related_name="prospecting_lists")
    row_count = models.PositiveIntegerField(default=0, editable=False)
    comment_count = models.PositiveIntegerField(default=0, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProspectingListQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["account", "id"], condition=Q(deleted_at=None), name="prospecting_list_alive"
            )
        ]

    def __str__(self):
        return self.title

    @property
    def name(self) -> str:
        return self.title

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "title": self.title,
            "description": self.description,
            "columns": self.columns,
            "privacy": self.privacy,
            "owner_id": self.owner_id,
            "row_count": self.row_count,
            "is_archived": self.is_archived,
        }


class ProspectQuerySet(AccountQuerySet):
    def alive(self):
        """Those whose list has not been deleted."""
        return self.filter(prospecting_list__deleted_at=None)

    def visible_to(self, user):
        return self.filter(prospecting_list__in=ProspectingList.objects.visible_to(user))


class Prospect(AccountOwned):
    """A row of a prospecting list: one cell a column, and the lead it has become, if it has."""

    prospecting_list = models.ForeignKey(ProspectingList, on_delete=models.CASCADE, related_name="prospects")
    position = models.PositiveIntegerField(default=1)
    content = models.JSONField(default=list)
    is_active = models.BooleanField("active", default=True)
    lead = models.ForeignKey(Lead, null=True, blank=True, on_delete=models.SET_NULL, related_name="prospects")
    comment_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProspectQuerySet.as_manager()

    class Meta:
        ordering = ["prospecting_list_id", "position", "id"]
        indexes = [models.Index(fields=["prospecting_list", "position", "id"], name="prospect_list")]

    def __str__(self):
        return next((cell.strip() for cell in self.content if cell.strip()), f"row {self.position}")

    @property
    def name(self) -> str:
        return str(self)

    @property
    def parent(self) -> ProspectingList:
        return self.prospecting_list

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": str(self),
            "prospecting_list_id": self.prospecting_list_id,
            "content": self.content,
            "is_active": self.is_active,
            "lead_id": self.lead_id,
        }
