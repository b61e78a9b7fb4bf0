"""A reader that remembers one number misses nothing, whatever order transactions commit in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from pipelime.events import journal
from pipelime.events.models import Event, JournalEntry, JournalHorizon
from pipelime.events.recording import record, record_all
from pipelime.scope import account_scope, every_account
from tests.factories import AccountFactory, TeamFactory


@pytest.fixture
def only_postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite commits come in the order of ids, so there is no relay")


def write(account, marker: str) -> None:
    with account_scope(account), transaction.atomic():
        record("account.updated", account, by=None, marker=marker)


def read_all(account, after: int = 0, limit: int = 100) -> list[tuple[int, str]]:
    with account_scope(account):
        return [
            (position, event.data["marker"]) for position, event in journal.read(after=after, limit=limit)
        ]


class Switch:
    def __init__(self, switch: threading.Event, thread: threading.Thread):
        self.switch, self.thread = switch, thread

    def commit(self) -> None:
        self.switch.set()
        self.thread.join(20)


@contextmanager
def open_transaction(account, marker: str) -> Iterator[Switch]:
    """Another connection that has written an event and commits when its switch is set, or on leaving."""
    written, switch = threading.Event(), threading.Event()

    def work() -> None:
        with account_scope(account), transaction.atomic():
            record("account.updated", account, by=None, marker=marker)
            written.set()
            switch.wait(20)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert written.wait(20)
    committed = Switch(switch, thread)
    try:
        yield committed
    finally:
        committed.commit()


@pytest.mark.django_db(transaction=True)
def test_events_are_read_in_order_page_by_page():
    account = AccountFactory()
    for marker in ("first", "second", "third"):
        write(account, marker)

    page = read_all(account, limit=2)
    rest = read_all(account, after=page[-1][0], limit=2)

    assert [marker for _, marker in page] == ["first", "second"]
    assert [marker for _, marker in rest] == ["third"]
    assert read_all(account, after=rest[-1][0]) == []


@pytest.mark.django_db(transaction=True)
def test_a_batch_keeps_its_order():
    account = AccountFactory()
    with account_scope(account), transaction.atomic():
        teams = [TeamFactory(account=account) for _ in range(40)]
        record_all("team.created", [(team, {"marker": str(n)}) for n, team in enumerate(teams)], by=None)

    assert [marker for _, marker in read_all(account)] == [str(n) for n in range(40)]


@pytest.mark.django_db(transaction=True)
def test_another_account_s_events_are_not_in_the_journal():
    mine, theirs = AccountFactory(), AccountFactory()
    write(theirs, "theirs")
    write(mine, "mine")

    assert [marker for _, marker in read_all(mine)] == ["mine"]
    assert [marker for _, marker in read_all(theirs)] == ["theirs"]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_not_missed(only_postgresql):
    account = AccountFactory()

    with open_transaction(account, "begun first, committed last") as late:
        write(account, "begun last, committed first")
        seen = read_all(account)
        late.commit()
        seen += read_all(account, after=seen[-1][0] if seen else 0)

    with every_account():
        ids = dict(Event.objects.values_list("data__marker", "pk"))
    assert ids["begun first, committed last"] < ids["begun last, committed first"]
    assert sorted(marker for _, marker in seen) == [
        "begun first, committed last",
        "begun last, committed first",
    ]
    assert [position for position, _ in seen] == sorted({position for position, _ in seen})


@pytest.mark.django_db(transaction=True)
def test_an_open_transaction_elsewhere_holds_nothing_back(only_postgresql):
    account = AccountFactory()
    write(account, "early")

    with open_transaction(account, "open"):
        write(account, "late")
        seen = read_all(account)
        again = read_all(account)

    assert [marker for _, marker in seen] == ["early", "late"]
    assert again == seen


@pytest.mark.django_db(transaction=True)
def test_a_horizon_above_the_cluster_s_still_journals_everything_once(only_postgresql):
    account = AccountFactory()
    write(account, "before the dump")
    with every_account():
        journal.relay()
    write(account, "not yet journalled")
    # A restore into a younger cluster: every number in the tables lies above its own.
    Event._base_manager.update(transaction=2**40)
    JournalHorizon.objects.update(transaction=2**40)
    write(account, "after the restore")

    first = read_all(account)
    write(account, "later")
    second = read_all(account, after=first[-1][0])

    assert [marker for _, marker in first] == ["before the dump", "not yet journalled", "after the restore"]
    assert [marker for _, marker in second] == ["later"]
    assert JournalEntry._base_manager.count() == 4


@pytest.mark.django_db(transaction=True)
def test_several_relays_at_once_append_every_event_once(only_postgresql):
    account, begin = AccountFactory(), threading.Barrier(5)
    for n in range(60):
        write(account, str(n))
    appended: list[int] = []

    def work() -> None:
        begin.wait()
        with every_account():
            appended.append(journal.relay())
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    begin.wait()
    for thread in threads:
        thread.join()

    assert sum(appended) == 60
    assert [marker for _, marker in read_all(account)] == [str(n) for n in range(60)]


@pytest.mark.django_db(transaction=True)
def test_readers_beside_many_writers_meet_every_event_once_and_in_order(only_postgresql):
    account, done, seen = AccountFactory(), threading.Event(), []

    def read_on() -> None:
        after = 0
        while True:
            was_done = done.is_set()
            page = read_all(account, after=after, limit=7)
            seen.extend(page)
            after = page[-1][0] if page else after
            if was_done and not page:
                break
        connection.close()

    def write_some(name: str) -> None:
        for n in range(25):
            write(account, f"{name}{n}")
        connection.close()

    reader = threading.Thread(target=read_on)
    writers = [threading.Thread(target=write_some, args=(name,)) for name in "abcd"]
    for thread in (reader, *writers):
        thread.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()

    assert sorted(marker for _, marker in seen) == sorted(f"{name}{n}" for name in "abcd" for n in range(25))
    positions = [position for position, _ in seen]
    assert positions == sorted(set(positions))
