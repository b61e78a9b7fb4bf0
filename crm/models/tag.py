from django.db import models
from django.utils import timezone

from pipelime.scope import AccountOwned


class TagCategory(AccountOwned):
    """A question that its tags answer, such as Origin: US, Europe or Asia."""

    name = models.CharField(max_length=100)
    is_required = models.BooleanField("required", default=False)
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "tag category"
        verbose_name_plural = "tag categories"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="tag_category_once")]

    def __str__(self):
        return self.name

    def snapshot(self) -> dict:
        return {"id": str(self.uid), "number": self.pk, "name": self.name, "is_required": self.is_required}


class Tag(AccountOwned):
    """A word people file things under; one spelling, whatever the case. Predefined ones have a category."""

    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=100, editable=False)
    category = models.ForeignKey(
        TagCategory, null=True, blank=True, on_delete=models.SET_NULL, related_name="tags"
    )
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name_key"], name="tag_once")]
        ordering = ["name_key"]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.name_key = self.name.casefold()
        super().save(*args, **kwargs)

    def snapshot(self) -> dict:
        return {
            "id": str(self.uid),
            "number": self.pk,
            "name": self.name,
            "category": self.category.name if self.category else None,
        }
