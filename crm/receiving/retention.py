"""Forgets mail as it came, once its retention is over; what was made of it stays, and so does its row."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from crm import files
from crm.models import ReceivedMail
from pipelime.accounts.models import Account

FOLDER = "mail"
BATCH = 200
SETTLED = ("done", "cancelled")


def prune() -> dict[str, int]:
    """In the scope that is open. What failed waits for a person and is kept."""
    return {"mail_files": forget_old() + forget_unnamed()}


def forget_old() -> int:
    """The file goes before its name: a stop between the two is made good by the next run."""
    before, forgotten = timezone.now() - settings.INBOUND_RETENTION, 0
    old = (
        ReceivedMail.objects.filter(state__in=SETTLED, received_at__lt=before).exclude(raw="").order_by("pk")
    )
    while rows := list(old.values_list("pk", "raw")[:BATCH]):
        for _, name in rows:
            files.discard(name)
        ReceivedMail.objects.filter(pk__in=[pk for pk, _ in rows]).update(raw="")
        forgotten += len(rows)
    return forgotten


def forget_unnamed() -> int:
    """Files of mails that came twice, or whose rows were never committed."""
    deleted = 0
    for account_id in list(Account.objects.values_list("pk", flat=True)):
        for names in files.stored(FOLDER, account_id):
            named = set(ReceivedMail.objects.filter(raw__in=names).values_list("raw", flat=True))
            for name in set(names) - named:
                files.discard(name)
                deleted += 1
    return deleted
