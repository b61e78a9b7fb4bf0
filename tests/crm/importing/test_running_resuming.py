"""A worker may die, pause or be told to end between any two instructions of an import."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.importing import outcomes, running
from crm.models import Contact, ImportJob, ImportRow
from crm.tasks import run_imports
from pipelime import ledger
from pipelime.events.models import Event
from tests.crm.importing.engine import counts, imported, people, reasons, uploaded, worked


def table(count: int = 10) -> str:
    """Every fifth address is bad, and the seventh row repeats the second."""
    rows = [
        f"P{number},p{number}@x.com" if number % 5 else f"P{number},bad" for number in range(1, count + 1)
    ]
    rows[6] = "P7,p2@x.com"
    return "first name,email\n" + "\n".join(rows) + "\n"


EXPECTED = ("done", 7, 0, 0, 3)


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


@pytest.fixture(autouse=True)
def _small_chunks(settings):
    settings.IMPORT_CHUNK = 3


def expire(job: ImportJob) -> None:
    past = timezone.now() - timedelta(minutes=5)
    ImportJob.objects.filter(pk=job.pk, state="claimed").update(lease_until=past)


@pytest.mark.parametrize("chunk", [1, 2, 3, 4])
def test_a_killed_import_goes_on_as_if_nothing_had_happened(account, monkeypatch, chunk):
    store, calls = outcomes.store, []

    def die(job_id, found):
        calls.append(1)
        store(job_id, found)
        if len(calls) == chunk:
            raise Killed

    job = uploaded(account, table())
    monkeypatch.setattr(outcomes, "store", die)
    with pytest.raises(Killed):
        run_imports()
    job.refresh_from_db()
    assert (job.state, job.processed, job.fence) == ("claimed", 3 * (chunk - 1), 1)
    expire(job)

    worked(job)

    assert counts(job) == EXPECTED
    assert job.processed == 10
    assert reasons(job) == reasons(imported(account, table()))
    assert [row[1] for row in people()] == ["P1", "P2", "P3", "P4", "P6", "P8", "P9"]
    assert Event.objects.filter(name="contact.created").count() == 7
    assert Event.objects.filter(name="import.started", subject_id=job.pk).count() == 1


def test_a_live_holder_is_left_in_peace(account):
    job = uploaded(account, table())
    ledger.claim_due(ImportJob, limit=1, now=timezone.now())

    assert run_imports() == 0

    job.refresh_from_db()
    assert (job.state, job.processed) == ("claimed", 0)


def test_a_worker_that_paused_too_long_writes_nothing(account, monkeypatch):
    store = outcomes.store

    def pause(job_id, found):
        ImportJob.objects.filter(pk=job_id).update(fence=99)
        store(job_id, found)

    job = uploaded(account, table())
    monkeypatch.setattr(outcomes, "store", pause)

    run_imports()

    job.refresh_from_db()
    assert (job.status, job.processed, job.created, job.fence) == ("running", 0, 0, 1)
    assert not Contact.objects.exists()
    assert not ImportRow.objects.exists()


def test_a_worker_that_ends_gives_the_job_back_between_two_chunks(account, monkeypatch):
    store = outcomes.store

    def stop_after(job_id, found):
        store(job_id, found)
        running.stopping.set()

    job = uploaded(account, table())
    monkeypatch.setattr(outcomes, "store", stop_after)
    try:
        run_imports()
    finally:
        running.stopping.clear()
    job.refresh_from_db()
    assert (job.state, job.processed, job.attempts) == ("queued", 3, 0)
    monkeypatch.setattr(outcomes, "store", store)

    worked(job)

    assert counts(job) == EXPECTED


def test_a_fault_of_ours_is_tried_again_later(account, monkeypatch):
    def stumble(job_id, found):
        raise RuntimeError("the disk is full")

    job = uploaded(account, table())
    with monkeypatch.context() as broken:
        broken.setattr(outcomes, "store", stumble)
        run_imports()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.last_error) == ("queued", 1, "RuntimeError: the disk is full")
    assert job.due_at > timezone.now() + timedelta(seconds=20)
    ImportJob.objects.filter(pk=job.pk).update(due_at=timezone.now())

    worked(job)

    assert counts(job) == EXPECTED
    assert (job.attempts, job.last_error) == (0, "")


def test_an_import_that_never_gets_further_is_given_up_and_says_where(account, monkeypatch):
    job = uploaded(account, table())
    ImportJob.objects.filter(pk=job.pk).update(attempts=running.MOST_ATTEMPTS, last_error="out of memory")

    worked(job)

    assert counts(job)[0] == "failed"
    assert job.error == (
        "The import stopped 5 times after record 0; what came before is imported (out of memory)"
    )


def test_what_failed_half_way_goes_on_when_it_is_run_again(account, monkeypatch):
    job = uploaded(account, table())
    store, calls = outcomes.store, []

    def die_at_second(job_id, found):
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        store(job_id, found)

    with monkeypatch.context() as broken:
        broken.setattr(outcomes, "store", die_at_second)
        with pytest.raises(Killed):
            run_imports()
    ImportJob.objects.filter(pk=job.pk).update(attempts=running.MOST_ATTEMPTS)
    expire(job)
    worked(job)
    assert (job.status, job.processed) == ("failed", 3)

    from crm.importing.jobs import run_import

    run_import(job, by=None)
    worked(job)

    assert counts(job) == EXPECTED
    assert job.error == ""
