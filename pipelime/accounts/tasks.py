"""Celery entry points of the kernel: mail of the system itself, and the deletion of what is too old."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.conf import settings
from django.utils.module_loading import import_string

from pipelime import ledger
from pipelime.accounts import notices
from pipelime.accounts.models import Notice
from pipelime.scope import every_account

log = structlog.get_logger(__name__)


@shared_task
def send_notices() -> int:
    with every_account():
        ledger.release_expired(Notice)
        return notices.deliver_due()


@shared_task
def keep_house() -> None:
    """Each part deletes its own old rows; one that fails must not keep the others from it."""
    for path in settings.HOUSEKEEPING:
        try:
            with every_account():
                done = import_string(path)()
        except Exception:
            log.exception("housekeeping.failed", verb=path)
        else:
            log.info("housekeeping.done", verb=path, done=done)
