"""Those who wait for one sender, or for any sender, of one campaign, on one clock."""

from __future__ import annotations

from outreach.scheduling.capacity import NEVER, Allowance, Outlet
from outreach.scheduling.gates import Gate
from outreach.scheduling.runs import Person, Run
from outreach.scheduling.sequence import Via, draw

# Priority, due second, enrolment id, position among the steps, and who it is: served in this order.
Item = tuple[int, int, int, int, Person]


class Queue:
    """`idle` means nobody waits and nothing on the agenda will look at this queue."""

    __slots__ = ("allowances", "idle", "items", "number", "pool", "run", "via")

    def __init__(
        self,
        number: int,
        run: Run,
        via: Via,
        pool: list[tuple[Outlet, Gate]],
        allowances: tuple[Allowance, ...],
    ) -> None:
        self.number = number
        self.run = run
        self.via = via
        self.pool = pool
        self.allowances = allowances  # beside those of the senders themselves
        self.items: list[Item] = []
        self.idle = True

    def ready_from(self, second: int) -> int:
        """`second` when its first item may go then, else a later second before which it cannot."""
        for allowance in self.allowances:
            free = allowance.open_from(second)
            if free != second:
                return free
        soonest = NEVER
        for outlet, gate in self.pool:
            free = gate.open_from(second)
            if free == second:
                free = outlet.free_from(second)
            if free == second:
                return second
            soonest = min(soonest, free)
        return soonest

    def choose(self, second: int, enrolment_id: int, step_number: int) -> Outlet:
        """Of the senders free at `second` (there must be one) the one with the most left of its day."""
        if len(self.pool) == 1:
            return self.pool[0][0]
        free = [
            outlet
            for outlet, gate in self.pool
            if outlet.free_from(second) == second and gate.open_from(second) == second
        ]
        most = max(outlet.left for outlet in free)
        best = [outlet for outlet in free if outlet.left == most]
        if len(best) == 1:
            return best[0]
        return best[draw(self.run.campaign.seed, enrolment_id, step_number, "sender", below=len(best))]
