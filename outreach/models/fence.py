from django.db import models


class Fence(models.Model):
    """The one row that says which installation this database belongs to, and whether it may send.

    A file beside the database says the same; a copy, or a database out of a backup, disagrees with it.
    """

    installation = models.CharField(max_length=32)
    beats = models.PositiveBigIntegerField(default=0)
    beat_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True)  # since when nothing is sent
    reason = models.CharField(max_length=500, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=250, blank=True)

    def __str__(self):
        return f"held: {self.reason}" if self.held_at else "open"
