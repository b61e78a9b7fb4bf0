"""Forgets what was delivered: bodies first, later the deliveries with their attempts, in batches."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from webhooks.models import Attempt, Delivery

BATCH = 2000
OVER = [Delivery.State.DONE, Delivery.State.FAILED, Delivery.State.CANCELLED]


def prune() -> dict[str, int]:
    """Empty and delete in the scope that is open; may be stopped and run again. Says how many."""
    deleted = 0
    while ids := batch(older_than(settings.WEBHOOK_ATTEMPT_RETENTION)):
        with transaction.atomic():
            Attempt.objects.filter(delivery_id__in=ids).delete()
            # Below the ORM's cascade, which would read every body first.
            deleted += Delivery.objects.filter(pk__in=ids)._raw_delete("default")  # noqa: SLF001
    emptied = 0
    while ids := batch(older_than(settings.WEBHOOK_BODY_RETENTION).exclude(body="")):
        emptied += Delivery.objects.filter(pk__in=ids).update(body="")
    return {"bodies": emptied, "deliveries": deleted}


def older_than(age: timedelta) -> QuerySet[Delivery]:
    return Delivery.objects.filter(state__in=OVER, created_at__lt=timezone.now() - age)


def batch(rows: QuerySet[Delivery]) -> list[int]:
    return list(rows.order_by("created_at").values_list("pk", flat=True)[:BATCH])
