from django.conf import settings
from django.db import models
from django.utils import timezone

from pipelime.ledger import LedgerRow
from pipelime.scope import AccountOwned


class ImportJob(LedgerRow, AccountOwned):
    """One uploaded file on its way into the CRM. `status` is what people see, `state` what workers do."""

    class Kind(models.TextChoices):
        CONTACTS = "contacts"
        COMPANIES = "companies"
        LEADS = "leads"

    class Status(models.TextChoices):
        ANALYZING = "analyzing"
        READY = "ready", "ready to run"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        UNDONE = "undone"

    class OnDuplicate(models.TextChoices):
        UPDATE = "update"
        SKIP = "skip"

    class Task(models.TextChoices):
        ANALYZE = "analyze"
        DRY_RUN = "dry_run"
        RUN = "run"
        UNDO = "undo"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CONTACTS)
    status = models.CharField(max_length=10, choices=Status, default=Status.ANALYZING, editable=False)
    task = models.CharField(max_length=10, choices=Task, default=Task.ANALYZE, editable=False)
    dry_run = models.BooleanField(default=False)
    on_duplicate = models.CharField(max_length=10, choices=OnDuplicate, default=OnDuplicate.UPDATE)
    file = models.FileField(upload_to="imports", max_length=200)
    file_name = models.CharField(max_length=250)
    sha256 = models.CharField(max_length=64, editable=False)
    size = models.BigIntegerField(default=0, editable=False)
    encoding = models.CharField(max_length=40, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    header = models.JSONField(default=list, editable=False)
    sample = models.JSONField(default=list, editable=False)
    mapping = models.JSONField(default=dict, blank=True)
    total = models.PositiveIntegerField(default=0, editable=False)
    processed = models.PositiveIntegerField(default=0, editable=False)  # also where a resumed run goes on
    created = models.PositiveIntegerField(default=0, editable=False)
    updated = models.PositiveIntegerField(default=0, editable=False)
    unchanged = models.PositiveIntegerField(default=0, editable=False)
    rejected = models.PositiveIntegerField(default=0, editable=False)
    kept = models.JSONField(default=list, editable=False)  # the first things that an undo left, and why
    undo_counts = models.JSONField(default=dict, editable=False)  # removed, restored, kept
    error = models.TextField(blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.CharField(max_length=310, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "import"
        ordering = ["-id"]
        indexes = LedgerRow.indexes("importjob")

    def __str__(self):
        return self.file_name

    @property
    def progress(self) -> float:
        if self.status in (self.Status.DONE, self.Status.UNDONE):
            return 1.0
        return round(min(self.processed / self.total, 1.0), 4) if self.total else 0.0

    @property
    def actor(self) -> tuple[int | None, str]:
        return self.created_by_id, self.created_by_name

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.file_name,
            "kind": self.kind,
            "status": self.status,
            "dry_run": self.dry_run,
            **{key: getattr(self, key) for key in ("total", "created", "updated", "unchanged", "rejected")},
            "error": self.error,
        }


class ImportRow(models.Model):
    """What became of one record of an import; unchanged records leave none."""

    class Outcome(models.TextChoices):
        CREATED = "created"
        UPDATED = "updated"
        SKIPPED = "skipped"
        REJECTED = "rejected"
        # What an undo has made of created and updated ones.
        REMOVED = "removed"
        RESTORED = "restored"
        KEPT = "kept"

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="rows")
    record = models.PositiveIntegerField(default=0)  # 0 for lines that were no record at all
    line = models.PositiveIntegerField()
    email_key = models.CharField(max_length=254, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome)
    column = models.CharField(max_length=250, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    cells = models.JSONField(null=True)
    object_id = models.BigIntegerField(null=True)
    version = models.PositiveIntegerField(null=True)
    before = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["job", "outcome", "id"], name="import_row_outcome"),
        ]
