from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models.company import Company
from crm.models.contact import Contact
from crm.models.lead import Lead
from pipelime.scope import AccountOwned


class Comment(AccountOwned):
    """What somebody wrote about a lead, a contact or a company: exactly one of them."""

    lead = models.ForeignKey(Lead, null=True, blank=True, on_delete=models.CASCADE, related_name="comments")
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="comments"
    )
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.CASCADE, related_name="comments"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    content = models.TextField()
    is_pinned = models.BooleanField("pinned", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="comment_about_one_thing",
                condition=Q(lead__isnull=False, contact=None, company=None)
                | Q(lead=None, contact__isnull=False, company=None)
                | Q(lead=None, contact=None, company__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=["lead", "id"], name="comment_lead"),
            models.Index(fields=["contact", "id"], name="comment_contact"),
        ]

    def __str__(self):
        return self.content[:80]

    @property
    def subject(self):
        return self.lead or self.contact or self.company

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "content": self.content,
            "about": self.subject._meta.model_name,
            "about_id": str(self.subject.uid),
            "title": str(self.subject),
            "author_id": self.author_id,
            "created_at": self.created_at.isoformat(),
        }
