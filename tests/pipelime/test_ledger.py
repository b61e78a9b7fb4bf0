"""Claims, fences and leases, on the simplest ledger there is: the system's own notices."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from pipelime import ledger
from pipelime.accounts.models import Notice
from pipelime.scope import every_account
from tests.factories import AccountFactory


def notices(account, count: int, **values) -> list[Notice]:
    with every_account():
        return Notice.objects.bulk_create(
            Notice(account=account, to="a@example.com", subject=str(n), text="x", **values)
            for n in range(count)
        )


def claim(limit: int = 10) -> dict[int, int]:
    with transaction.atomic():
        return ledger.claim_due(Notice, limit=limit, now=timezone.now())


def let_the_lease_end(*rows: Notice) -> None:
    past = timezone.now() - timedelta(minutes=5)
    Notice.objects.filter(pk__in=[row.pk for row in rows]).update(lease_until=past)


def test_a_claim_takes_due_rows_up_to_its_limit(account):
    rows = notices(account, 3)

    first, second = claim(2), claim(2)

    assert sorted([*first, *second]) == [row.pk for row in rows]
    assert list(first.values()) == [1, 1]


def test_a_row_that_is_not_due_yet_is_left_alone(account):
    notices(account, 1, due_at=timezone.now() + timedelta(hours=1))

    assert claim() == {}


def test_the_oldest_due_row_comes_first(account):
    now = timezone.now()
    late, early = notices(account, 1, due_at=now)[0], notices(account, 1, due_at=now - timedelta(hours=1))[0]

    assert list(claim(1)) == [early.pk]
    assert list(claim(1)) == [late.pk]


def test_a_finished_row_is_never_claimed_again(account):
    [row] = notices(account, 1)
    fences = claim()

    ledger.finish(Notice, row.pk, fences[row.pk])

    assert claim() == {}
    assert Notice.objects.get().state == "done"


def test_a_write_under_an_old_fence_changes_nothing(account):
    [row] = notices(account, 1)
    old = claim()[row.pk]
    let_the_lease_end(row)
    ledger.release_expired(Notice)
    new = claim()[row.pk]

    with pytest.raises(ledger.LeaseLost):
        ledger.finish(Notice, row.pk, old)

    assert new == old + 2  # one step for the release, one for the claim
    assert Notice.objects.get().state == "claimed"


def test_an_expired_lease_makes_the_row_due_again(account):
    [row] = notices(account, 1)
    claim()
    let_the_lease_end(row)

    released = ledger.release_expired(Notice)

    assert released == 1
    assert list(claim()) == [row.pk]


def test_a_lease_that_runs_is_not_released(account):
    notices(account, 1)
    claim()

    assert ledger.release_expired(Notice) == 0


def test_renewing_a_lost_row_raises(account):
    [row] = notices(account, 1)
    fence = claim()[row.pk]

    with pytest.raises(ledger.LeaseLost):
        ledger.renew(Notice, {row.pk: fence + 1})


def test_finishing_many_skips_those_that_somebody_else_holds(account):
    kept, lost = notices(account, 2)
    fences = claim()
    Notice.objects.filter(pk=lost.pk).update(fence=99)

    finished = ledger.finish_all(Notice, fences)

    assert finished == {kept.pk}
    assert Notice.objects.get(pk=lost.pk).state == "claimed"


def test_a_row_put_back_waits_for_its_new_time(account):
    [row] = notices(account, 1)
    fence = claim()[row.pk]
    later = timezone.now() + timedelta(minutes=5)

    ledger.put_back(Notice, row.pk, fence, due_at=later, error="451 busy")

    row.refresh_from_db()
    assert (row.state, row.due_at, row.last_error) == ("queued", later, "451 busy")
    assert claim() == {}


def test_a_pause_doubles_up_to_its_limit():
    pauses = [ledger.back_off(n, base=timedelta(seconds=30), most=timedelta(minutes=3)) for n in range(4)]

    assert [pause.total_seconds() for pause in pauses] == [30, 60, 120, 180]


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_take_every_row_exactly_once():
    rows = notices(AccountFactory(), 200)
    taken: list[int] = []

    def work() -> None:
        with every_account():
            while claimed := claim(7):
                taken.extend(claimed)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(taken) == [row.pk for row in rows]
