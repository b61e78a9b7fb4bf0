from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models.comment import Comment
from crm.models.lead import Lead
from crm.models.prospecting import ProspectingList
from pipelime.scope import AccountOwned, AccountQuerySet


class AttachmentQuerySet(AccountQuerySet):
    def visible_to(self, user):
        """Those on leads that this person sees, and on comments about what this person sees."""
        leads, lists = (
            model.objects.alive().visible_to(user).values("pk") for model in (Lead, ProspectingList)
        )
        elsewhere = (
            Q(comment__contact__deleted_at=None, comment__contact__isnull=False)
            | Q(comment__company__deleted_at=None, comment__company__isnull=False)
            | Q(comment__prospecting_list__in=lists)
            | Q(comment__prospect__prospecting_list__in=lists)
        )
        return self.filter(Q(lead__in=leads) | Q(lead=None) & elsewhere)


class Attachment(AccountOwned):
    """A file of ours or a link to a page elsewhere, on a lead, on a comment, or on a lead by a comment."""

    class Kind(models.TextChoices):
        FILE = "attachment", "file"
        BUSINESS_CARD = "business_card", "business card"
        FRESHBOOKS_ESTIMATE = "freshbooks_estimate", "FreshBooks estimate"
        FRESHBOOKS_INVOICE = "freshbooks_invoice", "FreshBooks invoice"
        QUICKBOOKS_ESTIMATE = "quickbooks_estimate", "QuickBooks estimate"
        QUICKBOOKS_INVOICE = "quickbooks_invoice", "QuickBooks invoice"
        FACTOMOS_ESTIMATE = "factomos_estimate", "Factomos estimate"
        FACTOMOS_INVOICE = "factomos_invoice", "Factomos invoice"
        DROPBOX = "dropbox", "Dropbox"

    STORED = (Kind.FILE, Kind.BUSINESS_CARD)  # the others are links

    lead = models.ForeignKey(
        Lead, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments"
    )
    comment = models.ForeignKey(
        Comment, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments"
    )
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.FILE)
    name = models.CharField(max_length=250)
    url = models.CharField("URL", max_length=2000, blank=True)
    file = models.CharField(max_length=250, blank=True, editable=False)  # its name in the storage
    content_type = models.CharField(max_length=127, blank=True, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False)  # bytes
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="attachment_on_something", condition=Q(lead__isnull=False) | Q(comment__isnull=False)
            ),
            models.CheckConstraint(
                name="attachment_file_or_link",
                condition=Q(kind__in=["attachment", "business_card"], url="") & ~Q(file="")
                | ~Q(kind__in=["attachment", "business_card"]) & ~Q(url="") & Q(file=""),
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def is_stored(self) -> bool:
        return self.kind in self.STORED

    @property
    def parent(self) -> models.Model | None:
        return self.lead or (self.comment.subject if self.comment else None)

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "kind": self.kind,
            "url": self.url,
            "content_type": self.content_type,
            "size": self.size,
            "lead_id": self.lead_id,
            "comment_id": self.comment_id,
        }
