"""Celery entry point of the indexer: claims index jobs and writes their documents."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import transaction
from django.utils import timezone

from pipelime import ledger
from pipelime.scope import account_scope, every_account
from pipelime.search import documents
from pipelime.search.models import IndexJob

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 10  # with a pause that doubles: a little over four hours


@shared_task
def index_due() -> int:
    """Index every due job, a few at a time; safe to run in several workers."""
    done = 0
    with every_account():
        ledger.release_expired(IndexJob)
        while claimed := ledger.claim_due(IndexJob, limit=5, now=timezone.now()):
            for job in IndexJob.objects.filter(pk__in=claimed).order_by("pk"):
                done += work(job, claimed[job.pk])
    return done


def work(job: IndexJob, fence: int) -> bool:
    try:
        run(job, fence)
    except ledger.LeaseLost as lost:
        log.warning("search.lease_lost", job=job.pk, reason=str(lost))
    except Exception as error:
        log.exception("search.stumbled", job=job.pk)
        try_again(job, fence, error)
    else:
        return True
    return False


def try_again(job: IndexJob, fence: int, error: Exception) -> None:
    attempts, words = job.attempts + 1, f"{type(error).__name__}: {error}"[:2000]
    try:
        if attempts >= MOST_ATTEMPTS:
            ledger.finish(IndexJob, job.pk, fence, state="failed", attempts=attempts, last_error=words)
            return
        due_at = timezone.now() + ledger.back_off(job.attempts)
        ledger.put_back(IndexJob, job.pk, fence, due_at=due_at, error=words, attempts=attempts)
    except ledger.LeaseLost as lost:
        log.warning("search.lease_lost", job=job.pk, reason=str(lost))


def run(job: IndexJob, fence: int) -> None:
    with account_scope(job.account_id), transaction.atomic():
        free, busy = lock(job)
        documents.prepare(job.kind, free)
        texts = documents.texts_of(job.kind)(free)
        documents.store(job.kind, job.account_id, texts)
        found = {pk for pk, _ in texts}
        documents.remove(job.kind, [pk for pk in job.ids if pk not in found and pk not in busy])
        if busy:
            documents.later(job.kind, job.account_id, sorted(busy))
        ledger.finish(IndexJob, job.pk, fence)


def lock(job: IndexJob) -> tuple[list[int], set[int]]:
    """Rows that nobody changes while their words are read; and those in other hands, for another job.

    Waiting for them could end in a deadlock, and reading past them would store the words they are losing.
    """
    rows = documents.model_of(job.kind).objects.filter(pk__in=job.ids).order_by("pk")
    free = list(
        rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).values_list("pk", flat=True)
    )
    rest = set(job.ids) - set(free)
    return free, set(rows.filter(pk__in=rest).values_list("pk", flat=True)) if rest else set()
