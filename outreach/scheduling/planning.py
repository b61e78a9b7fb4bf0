"""plan(): who gets which step from which mailbox at which moment, computed from values alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush, heapreplace

from outreach.scheduling.capacity import Run, Sender
from outreach.scheduling.days import from_second, to_second
from outreach.scheduling.holds import left_over, not_due, not_ready, unplaceable
from outreach.scheduling.queues import FIRST_MAIL, FOLLOW_UP, Item, Queue
from outreach.scheduling.state import LeftOver, Slot, State, Waiting


def plan(state: State, now: datetime, until: datetime) -> Plan:
    """Every slot in [now, until), as soon as window, caps and gap allow, on whole seconds.

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
        self._now, self._until = now, until
        self._queues: list[Queue] = []
        self._queue_numbers: dict[tuple[int, int | None], int] = {}
        self._agenda: dict[int, list[tuple[Queue, Item | None]]] = {}
        self._moments: list[int] = []
        self._later: list[tuple[Queue, Item]] = []
        self._unplaceable: list[LeftOver] = []
        self._admit_all(state)
        while self._moments:
            moment = heappop(self._moments)
            self._serve(moment, self._wake_queues(self._agenda.pop(moment)))

    def left_over(self) -> Iterator[LeftOver]:
        """Each with what held it in the plan's last second."""
        yield from self._unplaceable
        for queue in self._queues:
            if queue.items:
                reason = not_ready(queue, self._until - 1)
                yield from (left_over(item, reason) for item in sorted(queue.items))
        for queue, item in self._later:
            yield left_over(item, not_due(queue.run, item[1]))

    def _admit_all(self, state: State) -> None:
        senders = {mailbox.id: Sender(mailbox) for mailbox in state.mailboxes}
        runs = {campaign.id: Run(campaign, senders, self._now) for campaign in state.campaigns}
        for waiting in state.waiting:
            run = runs.get(waiting.campaign_id)
            if run is None:
                raise ValueError(
                    f"enrolment {waiting.enrolment_id} waits in campaign {waiting.campaign_id}, "
                    f"but the state has campaigns {sorted(runs)}"
                )
            self._admit(run, waiting)

    def _admit(self, run: Run, waiting: Waiting) -> None:
        position = run.positions.get(waiting.step_number)
        has_sender = run.senders if waiting.mailbox_id is None else waiting.mailbox_id in run.senders
        if position is None or not has_sender:
            self._unplaceable.append(unplaceable(waiting, run.campaign, has_step=position is not None))
            return
        queue = self._queue(run, waiting.mailbox_id)
        priority = FIRST_MAIL if position == 0 else FOLLOW_UP
        self._await(queue, (priority, to_second(waiting.due), waiting.enrolment_id, position))

    def _queue(self, run: Run, mailbox_id: int | None) -> Queue:
        key = run.campaign.id, mailbox_id
        number = self._queue_numbers.setdefault(key, len(self._queues))
        if number == len(self._queues):
            sender = None if mailbox_id is None else run.senders[mailbox_id]
            self._queues.append(Queue(number, run, sender))
        return self._queues[number]

    def _await(self, queue: Queue, item: Item) -> None:
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
            self._place(queue, moment, at)
            if queue.items:
                heapreplace(heap, (queue.items[0], queue.number))
            else:
                heappop(heap)
                queue.idle = True

    def _place(self, queue: Queue, moment: int, at: datetime) -> None:
        run = queue.run
        _, _, enrolment_id, position = heappop(queue.items)
        step = run.campaign.steps[position]
        sender = queue.sender or run.choose_sender(moment, enrolment_id, step.number)
        run.left -= 1
        sender.take(moment)
        variant = step.variant_for(run.campaign.seed, enrolment_id)
        self.slots.append(Slot(enrolment_id, step.number, sender.id, variant, at))
        if position + 1 < len(run.campaign.steps):
            due = run.due_after(moment, position + 1)
            self._await(self._queue(run, sender.id), (FOLLOW_UP, due, enrolment_id, position + 1))
