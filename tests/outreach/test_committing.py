"""Marks of several connections that share a commit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from outreach import committing
from outreach.committing import Commits, Mark, write_together
from outreach.models import Message
from pipelime import ledger
from pipelime.events.models import Event
from pipelime.scope import account_scope, every_account
from tests.factories import AccountFactory, MessageFactory


class SlowDisk:
    """Keeps what was written together; the first commit lasts until the others wait behind it."""

    def __init__(self, commits: Commits, others: int, faulty: Mark | None = None):
        self.commits, self.others, self.faulty = commits, others, faulty
        self.groups: list[list[Mark]] = []
        self.begun = threading.Event()

    def write(self, marks) -> None:
        self.groups.append(list(marks))
        if len(self.groups) == 1:
            self.begun.set()
            with self.commits.changed:
                assert self.commits.changed.wait_for(lambda: len(self.commits.waiting) == self.others, 10)
        if self.faulty in marks:
            raise OSError("the disk is full")


def written(monkeypatch, commits: Commits, marks: list[Mark], faulty: Mark | None = None):
    disk = SlowDisk(commits, len(marks) - 1, faulty)
    monkeypatch.setattr(committing, "write_together", disk.write)
    with ThreadPoolExecutor(len(marks)) as pool:
        first = pool.submit(commits.write, marks[0])
        assert disk.begun.wait(10)
        later = [pool.submit(commits.write, mark) for mark in marks[1:]]
        errors = [one.exception(10) for one in (first, *later)]
    return disk.groups, errors


@pytest.fixture
def commits(monkeypatch) -> Commits:
    """Whoever begins to wait says so, for the first commit to end."""
    commits = Commits()
    wait_for = commits.changed.wait_for

    def announced(predicate, timeout=None):
        commits.changed.notify_all()
        return wait_for(predicate, timeout)

    monkeypatch.setattr(commits.changed, "wait_for", announced)
    return commits


def test_marks_that_gather_while_one_is_committed_share_the_next_commit(commits, monkeypatch):
    marks = [Mark() for _ in range(4)]

    groups, errors = written(monkeypatch, commits, marks)

    assert [len(group) for group in groups] == [1, 3]
    assert {id(mark) for group in groups for mark in group} == {id(mark) for mark in marks}
    assert errors == [None] * 4


def test_what_fails_together_is_tried_alone_and_fails_only_whose_fault_it_was(commits, monkeypatch):
    marks = [Mark() for _ in range(4)]

    groups, errors = written(monkeypatch, commits, marks, faulty=marks[2])

    assert sorted(len(group) for group in groups) == [1, 1, 1, 1, 3]
    assert [str(error) for error in errors if error] == ["the disk is full"]
    assert errors[2] is not None


@pytest.mark.django_db
def test_messages_of_several_accounts_are_marked_at_once_and_told_in_each():
    with every_account():
        sent = [MessageFactory(account=AccountFactory(), state="sending", fence=3) for _ in range(2)]
        begun = [MessageFactory(account=one.account, state="claimed", fence=1) for one in sent]

    write_together([Mark(sending=one, sent=other) for one, other in zip(begun, sent, strict=True)])

    with every_account():
        states = dict(Message.objects.values_list("pk", "state"))
    assert [states[one.pk] for one in sent] == ["sent", "sent"]
    assert [states[one.pk] for one in begun] == ["sending", "sending"]
    for one in sent:
        with account_scope(one.account_id):
            assert Event.objects.get(name="message.sent").subject_id == one.pk


@pytest.mark.django_db
def test_a_message_that_was_taken_over_gets_no_dot_and_does_not_stop_the_others(account):
    mine, lost = (MessageFactory(account=account, state="claimed", fence=1) for _ in range(2))
    Message.objects.filter(pk=lost.pk).update(fence=2)
    marks = [Mark(sending=mine), Mark(sending=lost)]

    write_together(marks)

    assert [mark.allows_the_dot for mark in marks] == [True, False]
    assert Message.objects.get(pk=lost.pk).state == "claimed"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL waits for its disk at every commit")
def test_a_durable_transaction_waits_for_the_disk_and_the_next_one_does_not():
    with ledger.durable():
        during = synchronous()

    assert (during, synchronous()) == (2, 1)  # FULL, NORMAL


def synchronous() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        return cursor.fetchone()[0]
