"""Those who wait for one sender, or for any sender, of one campaign."""

from __future__ import annotations

from outreach.scheduling.capacity import Run, Sender

FOLLOW_UP, FIRST_MAIL = 0, 1

# Priority, due second, enrolment id and position among the steps: served in this order.
Item = tuple[int, int, int, int]


class Queue:
    """`idle` means nobody waits and nothing on the agenda will look at this queue."""

    __slots__ = ("idle", "items", "number", "run", "sender")

    def __init__(self, number: int, run: Run, sender: Sender | None) -> None:
        self.number = number
        self.run = run
        self.sender = sender
        self.items: list[Item] = []
        self.idle = True

    def ready_from(self, second: int) -> int:
        """`second` when its first item may go then, else a later second before which it cannot."""
        opens = self.run.open_from(second)
        if opens != second:
            return opens
        return self.sender.free_from(second) if self.sender else self.run.sender_from(second)
