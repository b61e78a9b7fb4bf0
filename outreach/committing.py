"""Marking mails as sending and as sent, with one commit for all connections of a process that wait for one.

A commit waits for the disk, and only one can at a time on SQLite. While one is on its way, the marks of other
connections gather; whoever comes first then writes all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from outreach.models import Message
from outreach.settling import mark_all_sent
from pipelime import ledger
from pipelime.scope import every_account


@dataclass(slots=True, eq=False)
class Mark:
    """What one connection wants to have committed before it goes on."""

    sending: Message | None = None
    sent: Message | None = None  # the one before, which the server has taken
    is_done: bool = False
    is_alone: bool = False  # it failed together with others, whose fault it may have been

    @property
    def allows_the_dot(self) -> bool:
        return self.sending is not None and self.sending.state == Message.State.SENDING


class Commits:
    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.waiting: list[Mark] = []
        self.is_busy = False

    def write(self, mark: Mark) -> None:
        """Returns when it is committed, by this thread or by another; what fails for all is tried alone."""
        if group := self.joined(mark):
            self.lead(group)
        if mark.is_alone:
            write_together([mark])

    def joined(self, mark: Mark) -> list[Mark]:
        """All marks that wait, for this thread to write; none where another thread has written this one."""
        with self.changed:
            self.waiting.append(mark)
            self.changed.wait_for(lambda: mark.is_done or not self.is_busy)
            if mark.is_done:
                return []
            group, self.waiting, self.is_busy = self.waiting, [], True
        return group

    def lead(self, group: list[Mark]) -> None:
        try:
            write_together(group)
        except Exception:
            if len(group) == 1:
                raise
            for mark in group:
                mark.is_alone = True
        finally:
            with self.changed:
                self.is_busy = False
                for mark in group:
                    mark.is_done = True
                self.changed.notify_all()


def write_together(marks: Iterable[Mark]) -> None:
    """In the order of ids, in which others lock messages, too."""
    ordered = sorted(marks, key=lambda mark: mark.sending.pk if mark.sending else 0)
    begun = [mark.sending for mark in ordered if mark.sending]
    with every_account(), ledger.durable():
        mark_all_sent([mark.sent for mark in ordered if mark.sent])
        marked = write_sending(begun)
    for message in begun:
        if message.pk in marked:
            message.state = Message.State.SENDING


def mark_sending(message: Message) -> bool:
    """Committed before the last dot. False when the message was cancelled or taken over meanwhile."""
    mark = Mark(sending=message)
    write_together([mark])
    return mark.allows_the_dot


def write_sending(messages: Sequence[Message]) -> set[int]:
    """The ids of those that were still held under their fences."""
    if not messages:
        return set()
    table, rows = Message._meta.db_table, ", ".join(["(%s, %s, %s)"] * len(messages))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH mine (mine_id, mine_fence, mine_subject) AS (VALUES {rows}) "  # noqa: S608  the table is ours
            f"UPDATE {table} SET state = 'sending', subject = mine_subject, "
            f"lease_until = {ledger.database_now(settings.LEASE.total_seconds())} FROM mine "
            "WHERE id = mine_id AND fence = mine_fence AND state = 'claimed' RETURNING id",
            [value for message in messages for value in (message.pk, message.fence, message.subject)],
        )
        return {row[0] for row in cursor.fetchall()}
