from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from pipelime.scope import AccountOwned, AccountQuerySet


class EmailTemplateQuerySet(AccountQuerySet):
    def usable_by(self, user):
        """What this person may write with. None stands for a key, which may use all; so may operators."""
        if user is None or user.account_id is None or user.is_admin:
            return self
        # A subquery, and no join: whoever both made a template and was given it sees it once.
        given = EmailTemplate.users.through.objects.filter(user=user).values("emailtemplate")
        return self.filter(Q(is_shared=True) | Q(created_by=user) | Q(pk__in=given))


class EmailTemplate(AccountOwned):
    """A mail to one lead, written once: Liquid over what is known of the lead."""

    name = models.CharField(max_length=250)
    subject = models.CharField(max_length=998)
    body = models.TextField(help_text="Text, or HTML if it begins with a tag; values as {{ first_name }}.")
    is_shared = models.BooleanField("everybody may use it", default=True)
    users = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name="who else may use it"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = EmailTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = "e-mail template"
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["account", "name", "id"], name="email_template_name")]

    def __str__(self):
        return self.name

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "subject": self.subject,
            "is_shared": self.is_shared,
        }
