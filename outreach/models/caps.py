from django.db import models


class CapCounter(models.Model):
    """How much of a day's allowance is used. Raised in the transaction that claims, never counted."""

    # "mailbox:12", "campaign:7", "account:3", "domain:3:example.com"
    scope = models.CharField(max_length=320)
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "day"], name="cap_once")]

    def __str__(self):
        return f"{self.scope} on {self.day}: {self.used}"
