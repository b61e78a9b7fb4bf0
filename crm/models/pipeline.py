from django.db import models
from django.utils import timezone

from crm.models.record import named
from pipelime.scope import AccountOwned


class Pipeline(AccountOwned):
    """A way of selling: an ordered row of steps."""

    name = models.CharField(max_length=150)
    is_default = models.BooleanField("default", default=False)
    position = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="pipeline_name_once")]

    def __str__(self):
        return self.name

    def snapshot(self) -> dict:
        return {"id": str(self.uid), "number": self.pk, "name": self.name, "is_default": self.is_default}


class Step(AccountOwned):
    """A stage of a pipeline. Two pipelines may have steps of the same name."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=150)
    position = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["pipeline__position", "pipeline_id", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["pipeline", "name"], name="step_name_once")]

    def __str__(self):
        return self.name

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "position": self.position,
            "pipeline": named(self.pipeline),
        }
