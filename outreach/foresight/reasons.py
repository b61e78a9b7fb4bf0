"""Why a contact gets nothing from a campaign now: everything that holds it, the most decisive first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from crm.models import Contact
from outreach import fence, placing, scheduling
from outreach.blocking import blocked, suppressed
from outreach.demand import as_waiting
from outreach.foresight.codes import CODES, Reason
from outreach.foresight.places import COLUMNS, Begun, Place, begun, reason_of_place
from outreach.foresight.plans import planned_together
from outreach.foresight.words import paused, reason_of
from outreach.models import Campaign, EmailAccount, Enrolment, LinkedInAccount, Message
from outreach.scheduling import HORIZON, Hold, Slot, State, Via, Waiting
from outreach.windows import ALWAYS

STATUS = {
    Campaign.Status.DRAFT: "campaign_draft",
    Campaign.Status.PAUSED: "campaign_paused",
    Campaign.Status.FINISHED: "campaign_finished",
}


def why_not(contact: Contact, campaign: Campaign, *, now: datetime | None = None) -> list[Reason]:
    """Every reason, or the one reason `planned` with the minute when there is none."""
    now = now or timezone.now()
    enrolment = Enrolment.objects.filter(contact=contact, campaign=campaign).first()
    found = [*of_contact(contact, enrolment), *of_campaign(campaign)]
    if enrolment is None:
        found.append(Reason("not_in_campaign", CODES["not_in_campaign"]))
    else:
        found += of_place(enrolment, now)
        if enrolment.state == Enrolment.State.WAITING:
            found += of_plan(campaign, enrolment, now, is_held=bool(found))
    first_of_each = {reason.code: reason for reason in reversed(found)}
    return sorted(first_of_each.values(), key=lambda reason: reason.rank)


def of_contact(contact: Contact, enrolment: Enrolment | None) -> Iterator[Reason]:
    if contact.deleted_at:
        yield Reason("contact_deleted", CODES["contact_deleted"])
    address = (enrolment.address if enrolment else contact.email) or ""
    if cause := suppressed([address]).get(address):
        yield Reason(cause, CODES[cause])
    elif contact.status in (Contact.Status.UNSUBSCRIBED, Contact.Status.BOUNCED):
        yield Reason(contact.status, CODES[contact.status])
    elif contact.status == Contact.Status.BLOCKED:
        yield Reason("blocked", "the contact is marked as blocked")
    if value := blocked([address]).get(address):
        yield Reason("blocked", f"{value} is on the blocklist")


def of_campaign(campaign: Campaign) -> Iterator[Reason]:
    if campaign.account.is_suspended:
        yield Reason("account_suspended", CODES["account_suspended"])
    if held := fence.held():
        yield Reason("sending_held", held.reason)
    if code := STATUS.get(Campaign.Status(campaign.status)):
        yield Reason(code, CODES[code])


def of_place(enrolment: Enrolment, now: datetime) -> Iterator[Reason]:
    place = Place._make(getattr(enrolment, name) for name in COLUMNS)
    message = next(iter(begun([enrolment.campaign_id], enrolment=enrolment)), None)
    if reason := reason_of_place(place, message):
        yield reason
    if message and message.state == Message.State.QUEUED:
        yield from paused_sender(message)
    if enrolment.parked_until and enrolment.parked_until > now:
        yield Reason("out_of_office", CODES["out_of_office"], enrolment.parked_until)


def paused_sender(message: Begun) -> Iterator[Reason]:
    """Of what is planned already: a pause is waited for."""
    for kind, model, pk in (
        ("mailbox", EmailAccount, message.mailbox_id),
        ("linkedin", LinkedInAccount, message.linkedin_id),
    ):
        sender = model.objects.filter(pk=pk, paused_at__isnull=False).first() if pk else None
        if sender:
            yield Reason(f"{kind}_paused", paused(sender))


def of_plan(campaign: Campaign, enrolment: Enrolment, now: datetime, *, is_held: bool) -> list[Reason]:
    """What the engine would say of the next minutes; `planned` only if nothing else holds the contact."""
    campaigns = planned_together(campaign)
    state = placing.state_of(campaigns, now, waiting=())
    if campaign.pk not in {one.id for one in state.campaigns}:
        return [Reason("no_step", "the campaign has no steps")]
    waiting = due_soon(state, enrolment, now)
    own = waiting.pop(enrolment.pk, None)
    if own is None:
        return [Reason("in_flight", "its next step is being planned just now")]
    found, slot = holds(replace(state, waiting=list(waiting.values())), own, campaigns[campaign.pk], now)
    found += of_condition(campaign, own, now)
    if slot and not found and not is_held:
        found.append(Reason("planned", f"step {slot.step_number} goes out at the time shown", slot.at))
    return found


def due_soon(state: State, enrolment: Enrolment, now: datetime) -> dict[int, Waiting]:
    """This one, and all who may be served before it: they use up what there is."""
    rows = Enrolment.objects.filter(
        Q(due_at__lt=now + HORIZON) | Q(pk=enrolment.pk),
        campaign__in=[campaign.id for campaign in state.campaigns],
        state=Enrolment.State.WAITING,
    )
    with_domains = state.account.domain_cap is not None
    return {one.enrolment_id: one for one in as_waiting(rows, with_domains=with_domains)}


def of_condition(campaign: Campaign, own: Waiting, now: datetime) -> Iterator[Reason]:
    step = next((step for step in campaign.steps.all() if step.number == own.step_number), None)
    if step and step.condition and step.condition not in own.facts:
        said = f"step {step.number} is sent only if {step.get_condition_display()}"
        yield Reason("condition", said, max(own.due, now))


def holds(state: State, own: Waiting, campaign: Campaign, now: datetime) -> tuple[list[Reason], Slot | None]:
    """Asks the engine, takes away what it names, and asks again, until this contact gets a slot."""
    found: dict[Hold, Reason] = {}
    while True:
        plan = scheduling.plan(replace(state, waiting=[*state.waiting, own]), now, now + HORIZON)
        slot = next((slot for slot in plan.slots if slot.enrolment_id == own.enrolment_id), None)
        left = next((left for left in plan.left_over() if left.enrolment_id == own.enrolment_id), None)
        if slot or left is None or left.code in found:
            return list(found.values()), slot
        found[left.code] = reason_of(left, campaign, own)
        own = own._replace(due=now) if left.code is Hold.NOT_DUE else own
        state = without(left.code, state, own.campaign_id)


def without(hold: Hold, state: State, campaign_id: int) -> State:
    """The same state if this hold did not exist."""
    campaigns = [freed(one, hold) if one.id == campaign_id else one for one in state.campaigns]
    senders = [unlimited(one, hold) for one in state.senders]
    account = state.account
    if hold is Hold.ACCOUNT_CAP:
        account = replace(account, daily_cap=None)
    if hold is Hold.DOMAIN_CAP:
        account = replace(account, domain_cap=None)
    return replace(state, campaigns=campaigns, senders=senders, account=account)


def freed(campaign: scheduling.Campaign, hold: Hold) -> scheduling.Campaign:
    schedule = campaign.schedule
    match hold:
        case Hold.CAMPAIGN_CAP:
            return replace(campaign, daily_cap=None)
        case Hold.HOLIDAY:
            return replace(campaign, schedule=replace(schedule, closed=frozenset()))
        case Hold.OUTSIDE_WINDOW:
            return replace(campaign, schedule=replace(schedule, windows=ALWAYS, starts_on=None))
        case Hold.ENDED:
            return replace(campaign, schedule=replace(schedule, ends_on=None))
    return campaign


def unlimited(sender: scheduling.Sender, hold: Hold) -> scheduling.Sender:
    if hold is Hold.MAILBOX_GAP:
        return replace(sender, gap_seconds=0, jitter_seconds=0, free_at=None)
    capped = {Hold.MAILBOX_CAP: Via.MAIL, Hold.LINKEDIN_CAP: Via.LINKEDIN}.get(hold)
    return replace(sender, daily_cap=None, ramp=None) if sender.via is capped else sender
