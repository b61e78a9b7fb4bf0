"""Giving waiting enrolments their slots: the state of the rows, the plan for them, and what it makes.

The plan itself is outreach.scheduling, a pure function; this module reads its state and has them written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from outreach import caps, scheduling
from outreach.demand import as_waiting, next_waiting
from outreach.enrolments import change, whole
from outreach.models import Campaign, Enrolment
from outreach.queueing import queue
from outreach.scheduling import Via
from outreach.supply import (
    account_value,
    campaign_values,
    linkedin_accounts_of,
    linkedin_values,
    mailbox_values,
    mailboxes_of,
)
from pipelime.accounts.models import Account

NO_ADDRESS = "the next step is an e-mail, and the contact has no address: give them one"


def state_of(
    campaigns: Mapping[int, Campaign], now: datetime, *, waiting: Iterable[scheduling.Waiting]
) -> scheduling.State:
    """Of campaigns of one account, read with their steps and senders; `waiting` is the caller's to choose."""
    mailboxes = {box.pk: box for campaign in campaigns.values() for box in mailboxes_of(campaign)}
    profiles = {one.pk: one for campaign in campaigns.values() for one in linkedin_accounts_of(campaign)}
    account_ids = {campaign.account_id for campaign in campaigns.values()}
    account = Account.objects.filter(pk__in=account_ids).first()
    return scheduling.State(
        campaigns=campaign_values(campaigns.values(), now),
        senders=[
            *mailbox_values(list(mailboxes.values()), now),
            *linkedin_values(list(profiles.values()), now),
        ],
        waiting=waiting,
        account=account_value(account, now) if account else scheduling.Account(),
    )


def waiting_of(campaigns: Mapping[int, Campaign], now: datetime) -> Iterator[scheduling.Waiting]:
    """Everybody who waits in these campaigns, for whatever moment."""
    rows = Enrolment.objects.filter(campaign__in=campaigns, state=Enrolment.State.WAITING).order_by("pk")
    capped = any(caps.of_account(campaign.account)[1] is not None for campaign in campaigns.values())
    return as_waiting(rows, with_domains=capped)


def place(campaigns: dict[int, Campaign], now: datetime) -> int:
    """Queue the messages of up to AT_ONCE enrolments, or hold those of them whom no mail can reach.

    Returns how many; 0 when nobody else fits in.
    """
    until = now + scheduling.HORIZON
    state = state_of(campaigns, now, waiting=())
    waiting = next_waiting(state, now, until)
    if unreachable := [one.enrolment_id for one in waiting if is_unreachable(one, state)]:
        return hold(unreachable)  # the others have the next turn
    if not waiting:
        return 0
    slots = scheduling.plan(replace(state, waiting=waiting), now, until).slots
    queue(slots, {one.enrolment_id: campaigns[one.campaign_id] for one in waiting})
    return len(slots)


def is_unreachable(one: scheduling.Waiting, state: scheduling.State) -> bool:
    """A mail has followed steps that took no address: it cannot go to nobody."""
    if one.has_address:
        return False
    campaign = next(campaign for campaign in state.campaigns if campaign.id == one.campaign_id)
    return any(step.via is Via.MAIL for step in campaign.steps if step.number == one.step_number)


def hold(enrolment_ids: list[int]) -> int:
    """Until the contact has an address. One that is no longer waiting, or has one by now, is left alone."""
    here = Enrolment.objects.filter(pk__in=enrolment_ids, state=Enrolment.State.WAITING, address="")
    held = whole(here)
    change(held, by=None, state=Enrolment.State.HELD, reason=NO_ADDRESS)
    return len(held)
