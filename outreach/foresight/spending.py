"""What is left for later once slots are used: days fill up, and senders rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

from outreach.scheduling import Campaign, Sender, Slot, State, Via, pause_after


class Done(NamedTuple):
    """A slot that was used, for whom."""

    slot: Slot
    campaign_id: int
    domain: str


def spent(state: State, done: Sequence[Done]) -> State:
    """The state after these slots, in order of time; who waits is the caller's to say."""
    mails = [one for one in done if one.slot.via is Via.MAIL]
    campaigns = {one.id: one for one in state.campaigns}
    account = state.account
    domains: dict[str, list[Done]] = {}
    for one in mails:
        domains.setdefault(one.domain, []).append(one)
    return replace(
        state,
        campaigns=[
            mailed(one, [mail for mail in mails if mail.campaign_id == one.id]) for one in state.campaigns
        ],
        senders=[rested(one, done, campaigns) for one in state.senders],
        account=replace(
            account,
            used=more(account.used, mails, account.zone),
            used_by_domain=dict(account.used_by_domain)
            | {
                name: more(account.used_by_domain.get(name, {}), own, account.zone)
                for name, own in domains.items()
            },
        ),
    )


def mailed(campaign: Campaign, mails: Sequence[Done]) -> Campaign:
    return replace(campaign, used=more(campaign.used, mails, campaign.schedule.zone)) if mails else campaign


def rested(sender: Sender, done: Sequence[Done], campaigns: Mapping[int, Campaign]) -> Sender:
    own = [one for one in done if (one.slot.via, one.slot.sender_id) == (sender.via, sender.id)]
    if not own:
        return sender
    slot, seed = own[-1].slot, campaigns[own[-1].campaign_id].seed
    pause = pause_after(sender.gap_seconds, sender.jitter_seconds, seed, slot.enrolment_id, slot.step_number)
    return replace(
        sender, used=more(sender.used, own, sender.zone), free_at=slot.at + timedelta(seconds=pause)
    )


def more(used: Mapping[date, int], done: Sequence[Done], zone: Any) -> Counter[date]:
    return Counter(used) + Counter(one.slot.at.astimezone(zone).date() for one in done)
