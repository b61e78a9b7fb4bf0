"""Index jobs: what bulk work leaves behind is indexed at least once, by whichever worker is left."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from crm.models import Company
from pipelime import ledger
from pipelime.scope import account_scope, every_account
from pipelime.search import documents, tasks
from pipelime.search.models import IndexJob
from tests.factories import AccountFactory, CompanyFactory


def job_for(account, *ids: int, kind: str = "company") -> IndexJob:
    with account_scope(account):
        return IndexJob.objects.create(account=account, kind=kind, ids=list(ids))


def state_of(job: IndexJob) -> tuple[str, int]:
    with every_account():
        job.refresh_from_db()
    return job.state, job.attempts


def test_a_due_job_makes_its_rows_findable(account):
    company = CompanyFactory(account=account, name="Loretta Inc.")
    job = job_for(account, company.pk)

    done = tasks.index_due()

    assert done == 1
    assert documents.find("company", "loretta") == [company.pk]
    assert state_of(job) == ("done", 0)


def test_a_row_that_is_gone_loses_its_document(account):
    company = CompanyFactory(account=account, name="Loretta Inc.")
    documents.index(company)
    Company.objects.filter(pk=company.pk).update(deleted_at=timezone.now())
    job_for(account, company.pk, 999_999)

    tasks.index_due()

    assert documents.find("company", "loretta") == []


def test_a_job_indexes_no_row_of_another_account(account):
    other = AccountFactory()
    theirs = CompanyFactory(account=other, name="Theirs")
    job_for(account, theirs.pk)

    tasks.index_due()

    assert documents.find("company", "theirs") == []
    with account_scope(other):
        assert documents.find("company", "theirs") == []


def test_a_job_of_a_dead_worker_is_done_by_another(account):
    company = CompanyFactory(account=account, name="Loretta Inc.")
    job = job_for(account, company.pk)
    with every_account(), transaction.atomic():
        ledger.claim_due(IndexJob, limit=1, now=timezone.now())
    assert tasks.index_due() == 0
    IndexJob.objects.update(lease_until=timezone.now() - timedelta(minutes=5))

    done = tasks.index_due()

    assert (done, state_of(job)) == (1, ("done", 0))
    assert documents.find("company", "loretta") == [company.pk]


def test_a_worker_that_lost_its_lease_writes_nothing(account):
    company = CompanyFactory(account=account, name="Loretta Inc.")
    job = job_for(account, company.pk)
    with every_account(), transaction.atomic():
        fences = ledger.claim_due(IndexJob, limit=1, now=timezone.now())
    IndexJob.objects.update(fence=99)

    done = tasks.work(job, fences[job.pk])

    assert done is False
    assert documents.find("company", "loretta") == []
    assert state_of(job)[0] == "claimed"


def test_a_job_that_fails_waits_longer_each_time_and_is_given_up_in_the_end(account):
    job = job_for(account, 1, kind="no such kind")
    pauses = []

    for _ in range(tasks.MOST_ATTEMPTS):
        IndexJob.objects.update(due_at=timezone.now())
        tasks.index_due()
        job.refresh_from_db()
        pauses.append(round((job.due_at - timezone.now()).total_seconds()))

    assert pauses[:3] == [30, 60, 120]
    assert state_of(job) == ("failed", 10)
    assert job.last_error == "KeyError: 'no such kind'"


def test_a_failing_job_does_not_keep_others_from_being_done(account):
    company = CompanyFactory(account=account, name="Loretta Inc.")
    bad, good = job_for(account, 1, kind="no such kind"), job_for(account, company.pk)

    done = tasks.index_due()

    assert (done, state_of(bad), state_of(good)) == (1, ("queued", 1), ("done", 0))


@pytest.mark.django_db(transaction=True)
def test_a_row_in_other_hands_is_left_to_another_job():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time, so no row is ever in other hands")
    account = AccountFactory()
    company = CompanyFactory(account=account, name="Before")
    job = job_for(account, company.pk)
    changed, commit = threading.Event(), threading.Event()

    def rename() -> None:
        with account_scope(account), transaction.atomic():
            Company.objects.filter(pk=company.pk).update(name="After")
            changed.set()
            commit.wait(20)
        connection.close()

    thread = threading.Thread(target=rename)
    thread.start()
    changed.wait(20)
    with every_account(), transaction.atomic():
        fences = ledger.claim_due(IndexJob, limit=1, now=timezone.now())
    tasks.work(job, fences[job.pk])
    commit.set()
    thread.join()
    tasks.index_due()

    with account_scope(account):
        assert documents.find("company", "before") == []
        assert documents.find("company", "after") == [company.pk]
        assert list(IndexJob.objects.order_by("pk").values_list("state", flat=True)) == ["done", "done"]
