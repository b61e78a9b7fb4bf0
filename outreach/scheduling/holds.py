"""Why somebody who waits got no slot, as a code, a sentence and the moment the reason lapses."""

from __future__ import annotations

from outreach.scheduling.capacity import NEVER, Run, Sender
from outreach.scheduling.days import from_second
from outreach.scheduling.queues import Item, Queue
from outreach.scheduling.state import Campaign, Hold, LeftOver, Waiting

Reason = tuple[Hold, str, int]


def left_over(item: Item, reason: Reason) -> LeftOver:
    code, detail, lapses = reason
    return LeftOver(item[2], code, detail, from_second(lapses) if lapses < NEVER else None)


def not_due(run: Run, due: int) -> Reason:
    ended_at = run.campaign.schedule.ended_at()
    if ended_at is not None and due >= ended_at:
        return ended(run.campaign)
    return Hold.NOT_DUE, f"is due at {from_second(due):%Y-%m-%d %H:%M} UTC", due


def not_ready(queue: Queue, second: int) -> Reason:
    """Why the queue could not be served at `second`; a plan serves whoever is ready, so something held it."""
    run = queue.run
    opens = run.window_from(second)
    if opens >= NEVER:
        return ended(run.campaign)
    run.turn_to(second)
    if run.left <= 0:
        cap = run.campaign.daily_cap
        return Hold.CAMPAIGN_CAP, f"campaign {run.campaign.id} has used its {cap} of the day", run.day_ends
    senders = [queue.sender] if queue.sender else list(run.senders.values())
    free_from = min(sender.free_from(second) for sender in senders)
    if all(sender.left <= 0 for sender in senders):
        return Hold.MAILBOX_CAP, f"{named(senders)} used the whole daily cap", free_from
    if opens > second:
        return Hold.OUTSIDE_WINDOW, f"campaign {run.campaign.id} opens next at the time shown", opens
    return Hold.MAILBOX_GAP, f"{named(senders)} to wait between two mails", free_from


def ended(campaign: Campaign) -> Reason:
    last = campaign.schedule.ends_on
    if last is None:
        return Hold.ENDED, f"campaign {campaign.id} has no window on any weekday", NEVER
    return Hold.ENDED, f"campaign {campaign.id} has no window left until its last day, {last}", NEVER


def named(senders: list[Sender]) -> str:
    names = ", ".join(str(sender.id) for sender in senders)
    return f"mailbox {names} has" if len(senders) == 1 else f"mailboxes {names} have"


def unplaceable(waiting: Waiting, campaign: Campaign, has_step: bool) -> LeftOver:
    if not has_step:
        numbers = ", ".join(str(step.number) for step in campaign.steps)
        detail = f"campaign {campaign.id} has steps {numbers}, not {waiting.step_number}"
        return LeftOver(waiting.enrolment_id, Hold.NO_STEP, detail, None)
    wanted = "a mailbox" if waiting.mailbox_id is None else f"mailbox {waiting.mailbox_id}"
    detail = f"campaign {campaign.id} does not send from {wanted} now"
    return LeftOver(waiting.enrolment_id, Hold.NO_MAILBOX, detail, None)
