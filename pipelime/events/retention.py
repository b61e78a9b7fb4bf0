"""History has an end: events older than the retention are deleted, a batch at a time."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from pipelime.events.models import Event, JournalEntry
from pipelime.scope import every_account

BATCH = 2000


def prune(now: datetime | None = None) -> dict[str, int]:
    """Delete what is older than EVENT_RETENTION; safe to stop and to run twice."""
    before, deleted = (now or timezone.now()) - settings.EVENT_RETENTION, 0
    with every_account():
        while ids := list(
            Event.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:BATCH]
        ):
            delete(ids)
            deleted += len(ids)
    return {"events": deleted}


@transaction.atomic
def delete(ids: list[int]) -> None:
    JournalEntry.objects.filter(event__in=ids).delete()
    Event.objects.filter(pk__in=ids).delete()
