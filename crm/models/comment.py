from functools import reduce
from operator import or_

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models.company import Company
from crm.models.contact import Contact
from crm.models.lead import Lead
from crm.models.prospecting import Prospect, ProspectingList
from pipelime.scope import AccountOwned

COMMENTED = ("lead", "contact", "company", "prospecting_list", "prospect")


class Comment(AccountOwned):
    """What somebody wrote about one thing: a lead, a contact, a company, a prospecting list or its row."""

    SUBJECTS = COMMENTED

    lead = models.ForeignKey(Lead, null=True, blank=True, on_delete=models.CASCADE, related_name="comments")
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="comments"
    )
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.CASCADE, related_name="comments"
    )
    prospecting_list = models.ForeignKey(
        ProspectingList, null=True, blank=True, on_delete=models.CASCADE, related_name="comments"
    )
    prospect = models.ForeignKey(
        Prospect, null=True, blank=True, on_delete=models.CASCADE, related_name="comments"
    )
    activity_type = models.ForeignKey(
        "crm.ActivityType", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
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
                condition=reduce(
                    or_,
                    (Q(**{f"{name}__isnull": name != chosen for name in COMMENTED}) for chosen in COMMENTED),
                ),
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
        return next(getattr(self, name) for name in self.SUBJECTS if getattr(self, f"{name}_id"))

    @property
    def parent(self):
        """Whose history an event about this comment belongs to."""
        return self.subject

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "content": self.content,
            "activity_type_id": self.activity_type_id,
            "about": self.subject._meta.model_name,
            "about_id": str(self.subject.uid),
            "title": str(self.subject),
            "author_id": self.author_id,
            "created_at": self.created_at.isoformat(),
        }
