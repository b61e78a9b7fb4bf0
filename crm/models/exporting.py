from django.conf import settings
from django.db import models
from django.utils import timezone

from pipelime.scope import AccountOwned


class ExportJob(AccountOwned):
    """Who took which rows out, when, and as what: exports are streamed, this is their record."""

    kind = models.CharField(max_length=20)
    format = models.CharField(max_length=4)
    filters = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.CharField(max_length=310, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "export"
        ordering = ["-id"]

    def __str__(self):
        return f"{self.kind} as {self.format}"

    def snapshot(self) -> dict:
        return {"id": str(self.uid), "name": f"{self.kind} as {self.format.upper()}", "kind": self.kind}
