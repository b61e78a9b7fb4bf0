"""Celery entry point of the indexer: claims index jobs and writes their documents."""

from __future__ import annotations

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from pipelime import ledger
from pipelime.scope import account_scope, every_account
from pipelime.search import documents
from pipelime.search.models import IndexJob


@shared_task
def index_due() -> int:
    """Index every due job, a few at a time; safe to run in several workers."""
    done = 0
    with every_account():
        ledger.release_expired(IndexJob)
        while claimed := ledger.claim_due(IndexJob, limit=5, now=timezone.now()):
            for job in IndexJob.objects.filter(pk__in=claimed).order_by("pk"):
                run(job, claimed[job.pk])
                done += 1
    return done


def run(job: IndexJob, fence: int) -> None:
    with account_scope(job.account_id), transaction.atomic():
        texts = documents.texts_of(job.kind)(job.ids)
        documents.store(job.kind, job.account_id, texts)
        found = {pk for pk, _ in texts}
        documents.remove(job.kind, [pk for pk in job.ids if pk not in found])
        ledger.finish(IndexJob, job.pk, fence)
