"""Why somebody who waits got no slot, as a code, a sentence and the moment the reason lapses."""

from __future__ import annotations

from outreach.scheduling.capacity import NEVER, Outlet
from outreach.scheduling.days import from_second
from outreach.scheduling.queues import Item, Queue
from outreach.scheduling.runs import Person, Run
from outreach.scheduling.sequence import Step, Via
from outreach.scheduling.state import Campaign, Hold, LeftOver, Waiting

Reason = tuple[Hold, str, int]

ONE = {Via.MAIL: "mailbox", Via.LINKEDIN: "LinkedIn account"}
MANY = {Via.MAIL: "mailboxes", Via.LINKEDIN: "LinkedIn accounts"}


def left_over(item: Item, reason: Reason) -> LeftOver:
    code, detail, lapses = reason
    return LeftOver(item[2], code, detail, from_second(lapses) if lapses < NEVER else None)


def not_due(queue: Queue, item: Item) -> Reason:
    due = item[1]
    ends = [gate.schedule.ended_at() for _, gate in queue.pool]
    if all(ended_at is not None and due >= ended_at for ended_at in ends):
        return ended(queue.run.campaign)
    return Hold.NOT_DUE, f"is due at {from_second(due):%Y-%m-%d %H:%M} UTC", due


def domain_full(item: Item) -> Reason:
    domain = item[4].domain
    return Hold.DOMAIN_CAP, f"{domain} gets no more mails from this account that day", item[1]


def not_ready(queue: Queue, second: int) -> Reason:
    """Why the queue could not be served at `second`; a plan serves whoever is ready, so something held it."""
    campaign = queue.run.campaign
    opens = min(gate.open_from(second) for _, gate in queue.pool)
    if opens >= NEVER:
        return ended(campaign)
    for allowance in queue.allowances:
        if allowance.open_from(second) != second:
            return shared_cap(queue.run, is_own=allowance is queue.run, lapses=allowance.day_ends)
    outlets = [outlet for outlet, _ in queue.pool]
    free_from = min(outlet.free_from(second) for outlet in outlets)
    if all(outlet.left <= 0 for outlet in outlets):
        code = Hold.MAILBOX_CAP if queue.via is Via.MAIL else Hold.LINKEDIN_CAP
        return code, f"{named(outlets)} used the whole daily cap", free_from
    if opens > second:
        return closed(queue, second, opens)
    return Hold.MAILBOX_GAP, f"{named(outlets)} to wait between two mails", queue.ready_from(second)


def shared_cap(run: Run, *, is_own: bool, lapses: int) -> Reason:
    if is_own:
        cap = run.campaign.daily_cap
        return Hold.CAMPAIGN_CAP, f"campaign {run.campaign.id} has used its {cap} of the day", lapses
    return Hold.ACCOUNT_CAP, "the account has used its mails of the day", lapses


def closed(queue: Queue, second: int, opens: int) -> Reason:
    campaign = queue.run.campaign
    if all(gate.schedule.is_day_off(gate.days.day_of(second)) for _, gate in queue.pool):
        return Hold.HOLIDAY, f"campaign {campaign.id} does not work on this public holiday", opens
    return Hold.OUTSIDE_WINDOW, f"campaign {campaign.id} opens next at the time shown", opens


def ended(campaign: Campaign) -> Reason:
    last = campaign.schedule.ends_on
    if last is None:
        return Hold.ENDED, f"campaign {campaign.id} has no window on any weekday", NEVER
    return Hold.ENDED, f"campaign {campaign.id} has no window left until its last day, {last}", NEVER


def named(outlets: list[Outlet]) -> str:
    via, names = outlets[0].sender.via, ", ".join(str(outlet.sender.id) for outlet in outlets)
    return f"{ONE[via]} {names} has" if len(outlets) == 1 else f"{MANY[via]} {names} have"


def no_step(waiting: Waiting, campaign: Campaign) -> LeftOver:
    numbers = ", ".join(str(step.number) for step in campaign.steps)
    detail = f"campaign {campaign.id} has steps {numbers}, not {waiting.step_number}"
    return LeftOver(waiting.enrolment_id, Hold.NO_STEP, detail, None)


def no_sender(enrolment_id: int, campaign: Campaign, via: Via, person: Person) -> LeftOver:
    code = Hold.NO_MAILBOX if via is Via.MAIL else Hold.NO_LINKEDIN_ACCOUNT
    begun = person.sender_for(via)
    wanted = f"a {ONE[via]}" if begun is None else f"{ONE[via]} {begun}"
    detail = f"campaign {campaign.id} does not send from {wanted} now"
    return LeftOver(enrolment_id, code, detail, None)


def no_address(enrolment_id: int, step: Step) -> LeftOver:
    return LeftOver(enrolment_id, Hold.NO_ADDRESS, f"has no address for step {step.number}, a mail", None)
