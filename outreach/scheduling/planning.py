"""plan(): who gets which step from which sender at which moment, computed from values alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush, heapreplace

from outreach.scheduling.capacity import NEVER, Allowance, Domains, Outlet
from outreach.scheduling.days import LocalDays, from_second, to_second
from outreach.scheduling.holds import (
    domain_full,
    left_over,
    no_address,
    no_sender,
    no_step,
    not_due,
    not_ready,
)
from outreach.scheduling.queues import Item, Queue
from outreach.scheduling.runs import Person, Run
from outreach.scheduling.sequence import Via
from outreach.scheduling.state import LeftOver, Passed, PutOff, Slot, State

QueueKey = tuple[int, Via, int | None, LocalDays | None]


def plan(state: State, now: datetime, until: datetime) -> Plan:
    """Every slot in [now, until), as soon as windows, caps and gaps allow, on whole seconds.

    At each moment those who are due go in the order (follow-ups first, due, enrolment id). Nothing
    looks ahead, so planning in chunks, each from the state the last one left, gives the same slots.
    """
    return Plan(state, to_second(now), to_second(until))


class Plan:
    """The slots in order of time; `left_over()` says why the others got none."""

    def __init__(self, state: State, now: int, until: int) -> None:
        if until <= now:
            raise ValueError(f"until ({from_second(until)}) must come after now ({from_second(now)})")
        self.slots: list[Slot] = []
        self.passed: list[Passed] = []  # of one enrolment in order
        self._now, self._until = now, until
        account = state.account
        self._mails = Allowance(account.zone, account.daily_cap, account.used)
        self._domains = Domains(account) if account.domain_cap is not None else None
        self._queues: list[Queue] = []
        self._queue_numbers: dict[QueueKey, int] = {}
        self._agenda: dict[int, list[tuple[Queue, Item | None]]] = {}
        self._moments: list[int] = []
        self._later: list[tuple[Queue, Item]] = []
        self._unplaceable: list[LeftOver] = []
        self._admit(state)
        while self._moments:
            moment = heappop(self._moments)
            self._serve(moment, self._wake_queues(self._agenda.pop(moment)))

    def left_over(self) -> Iterator[LeftOver]:
        """Each with what held it in the plan's last second."""
        yield from self._unplaceable
        last = self._until - 1
        for queue in self._queues:
            if queue.items:
                reason = not_ready(queue, last)
                yield from (left_over(item, reason) for item in sorted(queue.items))
        for queue, item in self._later:
            is_full = self._due_from(queue, item, last) == item[1]
            yield left_over(item, domain_full(item) if is_full else not_due(queue, item))

    def put_off(self) -> Iterator[PutOff]:
        """Those who still wait, and whose domain was full on a day on which they were due."""
        waiting = [(queue, item) for queue in self._queues for item in queue.items]
        for queue, item in waiting + self._later:
            due_from = self._due_from(queue, item, self._until - 1)
            if due_from >= item[1]:
                yield PutOff(item[2], from_second(due_from))

    def _admit(self, state: State) -> None:
        outlets = {(sender.via, sender.id): Outlet(sender) for sender in state.senders}
        runs = {campaign.id: Run(campaign, outlets, self._now) for campaign in state.campaigns}
        for waiting in state.waiting:
            run = runs.get(waiting.campaign_id)
            if run is None:
                raise ValueError(
                    f"enrolment {waiting.enrolment_id} waits in campaign {waiting.campaign_id}, "
                    f"but the state has campaigns {sorted(runs)}"
                )
            position = run.positions.get(waiting.step_number)
            if position is None:
                self._unplaceable.append(no_step(waiting, run.campaign))
            else:
                self._await(run, to_second(waiting.due), waiting.enrolment_id, position, Person(waiting))

    def _await(self, run: Run, due: int, enrolment_id: int, position: int, person: Person) -> None:
        """Have this step waited for, or, if it falls due for somebody whom it is not meant for, the next."""
        steps = run.campaign.steps
        while not person.is_meant_by(steps[position]):
            if due >= self._until:
                break
            self.passed.append(Passed(enrolment_id, steps[position].number, from_second(due)))
            clock = run.clock_passed(person, steps[position].via)
            position += 1
            if position == len(steps):
                return
            due = run.due_after(due, position, clock)
        step = steps[position]
        if step.via is Via.MAIL and not person.has_address and person.is_meant_by(step):
            self._unplaceable.append(no_address(enrolment_id, step))
            return
        queue = self._queue(run, step.via, person)
        if queue is None:
            self._unplaceable.append(no_sender(enrolment_id, run.campaign, step.via, person))
        else:
            self._enter(queue, (run.priority(position), due, enrolment_id, position, person))

    def _queue(self, run: Run, via: Via, person: Person) -> Queue | None:
        days = person.days if run.campaign.window_zone == "contact" else None
        key = run.campaign.id, via, person.sender_for(via), days
        number = self._queue_numbers.get(key)
        if number is not None:
            return self._queues[number]
        pool = [(outlet, run.gate(run.clock(person, outlet))) for outlet in run.outlets_for(person, via)]
        if not pool:
            return None
        shared = (run, self._mails) if via is Via.MAIL else ()
        number = self._queue_numbers[key] = len(self._queues)
        self._queues.append(Queue(number, run, via, pool, tuple(one for one in shared if one.is_capped)))
        return self._queues[number]

    def _enter(self, queue: Queue, item: Item) -> None:
        due = item[1]
        if due < self._until:
            self._note(max(due, self._now), queue, item)
        else:
            self._later.append((queue, item))

    def _note(self, moment: int, queue: Queue, item: Item | None = None) -> None:
        entries = self._agenda.get(moment)
        if entries is None:
            self._agenda[moment] = [(queue, item)]
            heappush(self._moments, moment)
        else:
            entries.append((queue, item))

    def _wake_queues(self, entries: list[tuple[Queue, Item | None]]) -> list[tuple[Item, int]]:
        """The queues that may be ready, as a heap by their first item.

        A busy queue that gains an item is left asleep: what holds it has not lapsed.
        """
        awake = []
        for queue, item in entries:
            if item is None:
                awake.append(queue)
                continue
            heappush(queue.items, item)
            if queue.idle:
                queue.idle = False
                awake.append(queue)
        heap = [(queue.items[0], queue.number) for queue in awake]
        heapify(heap)
        return heap

    def _serve(self, moment: int, heap: list[tuple[Item, int]]) -> None:
        at = from_second(moment)
        while heap:
            queue = self._queues[heap[0][1]]
            ready = queue.ready_from(moment)
            if ready > moment:
                heappop(heap)
                if ready < self._until:
                    self._note(ready, queue)
                continue
            if self._domains is None or not self._put_off_first(queue, moment):
                self._place(queue, moment, at)
            if queue.items:
                heapreplace(heap, (queue.items[0], queue.number))
            else:
                heappop(heap)
                queue.idle = True

    def _put_off_first(self, queue: Queue, moment: int) -> bool:
        """Whether the first item was due while its domain was full; it goes back with its new due moment."""
        item = queue.items[0]
        due_from = self._due_from(queue, item, moment)
        if due_from <= item[1]:
            return False
        item = (item[0], due_from, *item[2:])
        if due_from <= moment:
            heapreplace(queue.items, item)
        else:
            heappop(queue.items)
            self._enter(queue, item)
        return True

    def _due_from(self, queue: Queue, item: Item, second: int) -> int:
        """Before which moment its domain keeps the item from being due; never what will be passed over."""
        *_, position, person = item
        if self._domains is None or queue.via is not Via.MAIL:
            return -NEVER
        if not person.is_meant_by(queue.run.campaign.steps[position]):
            return -NEVER
        return self._domains.named(person.domain).due_from(second)

    def _place(self, queue: Queue, moment: int, at: datetime) -> None:
        run = queue.run
        _, _, enrolment_id, position, person = heappop(queue.items)
        steps, seed = run.campaign.steps, run.campaign.seed
        step = steps[position]
        outlet = queue.choose(moment, enrolment_id, step.number)
        outlet.take(moment, seed, enrolment_id, step.number)
        for allowance in queue.allowances:
            allowance.left -= 1
        if self._domains is not None and queue.via is Via.MAIL:
            self._domains.named(person.domain).take(moment)
        sender_id = None if queue.via is Via.HAND else outlet.sender.id
        variant = step.variant_for(seed, enrolment_id)
        self.slots.append(Slot(enrolment_id, step.number, queue.via, sender_id, variant, at))
        person.keep(outlet.sender)
        if position + 1 < len(steps):
            due = run.due_after(moment, position + 1, run.clock(person, outlet))
            self._await(run, due, enrolment_id, position + 1, person)
