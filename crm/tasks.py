"""Celery entry points of the CRM: imports and mail that came in, claimed one after the other."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from crm.importing import running
from crm.importing.jobs import BELL
from crm.models import ImportJob
from crm.receiving import polling, working
from pipelime import doorbell, ledger
from pipelime.scope import every_account


@shared_task
def run_imports() -> int:
    """Work until nothing is due. Another worker's thread takes the next job meanwhile."""
    done = 0
    with every_account():
        ledger.release_expired(ImportJob)
    while not running.stopping.is_set():
        with every_account():
            claimed = ledger.claim_due(ImportJob, limit=1, now=timezone.now())
        if not claimed:
            break
        doorbell.ring_now(BELL)  # there may be another job for another thread
        for job_id, fence in claimed.items():
            running.work(job_id, fence)
            done += 1
    return done


@shared_task
def work_mail() -> int:
    return working.work_due()


@shared_task
def poll_inbox() -> int:
    return polling.poll()


@worker_shutting_down.connect
def stop_working(**kwargs: Any) -> None:
    """A worker that is told to end gives its job back after the chunk, or the mail, at hand."""
    running.stopping.set()
    working.stopping.set()
