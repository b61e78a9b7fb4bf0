"""What the database would hold after a plan, and the rules themselves, both worked out naively."""

from dataclasses import replace
from datetime import datetime, time, timedelta

from outreach.scheduling import Campaign, Passed, Plan, Sender, Slot, State, Via, Waiting, pause_after
from outreach.scheduling.sequence import draw
from tests.outreach.scheduling.random_states import local_date


class Rows:
    """A state that is changed one decision at a time."""

    def __init__(self, state: State):
        self.campaigns = {campaign.id: campaign for campaign in state.campaigns}
        self.senders = {(sender.via, sender.id): sender for sender in state.senders}
        self.waiting = {row.enrolment_id: row for row in state.waiting}
        self.account = state.account

    def state(self) -> State:
        return State(
            list(self.campaigns.values()),
            list(self.senders.values()),
            list(self.waiting.values()),
            self.account,
        )

    def follow(self, plan: Plan) -> None:
        done = [*plan.slots, *plan.passed]
        for one in sorted(done, key=lambda one: (one.at, one.step_number)):
            if isinstance(one, Passed):
                self.pass_over(one.enrolment_id, one.at)
            else:
                self.take(one)
        for enrolment_id, due in plan.put_off():
            self.waiting[enrolment_id] = self.waiting[enrolment_id]._replace(due=due)

    def take(self, slot: Slot) -> None:
        row = self.waiting.pop(slot.enrolment_id)
        campaign, sender = self.campaigns[row.campaign_id], self.senders.get((slot.via, slot.sender_id))
        if slot.via is Via.MAIL:
            self.count_mail(campaign, row, slot.at)
        if sender is not None:
            rest = pause_after(sender.gap_seconds, sender.jitter_seconds, campaign.seed, *slot[:2])
            used = one_more(sender.used, slot.at, sender.zone)
            free_at = slot.at + timedelta(seconds=rest)
            self.senders[slot.via, slot.sender_id] = replace(sender, used=used, free_at=free_at)
        self.go_on(campaign.following(row, slot.at, sender))

    def count_mail(self, campaign: Campaign, row: Waiting, at: datetime) -> None:
        used = one_more(campaign.used, at, campaign.schedule.zone)
        self.campaigns[campaign.id] = replace(campaign, used=used)
        account, by_domain = self.account, dict(self.account.used_by_domain)
        by_domain[row.domain] = one_more(by_domain.get(row.domain, {}), at, account.zone)
        self.account = replace(
            account, used=one_more(account.used, at, account.zone), used_by_domain=by_domain
        )

    def pass_over(self, enrolment_id: int, at: datetime) -> None:
        row = self.waiting.pop(enrolment_id)
        campaign = self.campaigns[row.campaign_id]
        self.go_on(campaign.following(row, at, self.begun(row)))

    def begun(self, row: Waiting) -> Sender | None:
        via = self.step(row).via
        begun = {Via.MAIL: row.mailbox_id, Via.LINKEDIN: row.linkedin_id}.get(via)
        return self.senders.get((via, begun))

    def go_on(self, row: Waiting | None) -> None:
        if row is not None:
            self.waiting[row.enrolment_id] = row

    def step(self, row: Waiting):
        steps = self.campaigns[row.campaign_id].steps
        return next(step for step in steps if step.number == row.step_number)

    def pass_over_due(self, now: datetime) -> None:
        while passed := [row for row in self.waiting.values() if self.is_unmet(row) and row.due <= now]:
            for row in passed:
                self.pass_over(row.enrolment_id, row.due)

    def is_unmet(self, row: Waiting) -> bool:
        condition = self.step(row).condition
        return bool(condition) and condition not in row.facts

    def put_off_full_domains(self, now: datetime) -> None:
        zone = self.account.zone
        if self.account.domain_cap is None:
            return
        tomorrow = datetime.combine(local_date(now, zone) + timedelta(days=1), time(), zone)
        for row in list(self.waiting.values()):
            full = self.step(row).via is Via.MAIL and self.is_domain_full(row.domain, now)
            if full and not self.is_unmet(row) and row.due < tomorrow:
                self.waiting[row.enrolment_id] = row._replace(due=tomorrow)

    def is_domain_full(self, domain: str, now: datetime) -> bool:
        account = self.account
        used = account.used_by_domain.get(domain, {}).get(local_date(now, account.zone), 0)
        return account.domain_cap is not None and used >= account.domain_cap

    def next_slot(self, now: datetime) -> Slot | None:
        due = [row for row in self.waiting.values() if row.due <= now]
        for row in sorted(due, key=self.order):
            campaign, step = self.campaigns[row.campaign_id], self.step(row)
            place = row.enrolment_id, step.number, step.via
            variant = step.variant_for(campaign.seed, row.enrolment_id)
            if step.via is Via.HAND and is_open(campaign, campaign.zone_for(row, None), now):
                return Slot(*place, None, variant, now)
            if free := self.free_senders(campaign, row, now):
                return Slot(*place, choose(free, campaign, row, now).id, variant, now)
        return None

    def order(self, row: Waiting):
        campaign = self.campaigns[row.campaign_id]
        is_first = row.step_number == campaign.steps[0].number
        return is_first is not campaign.new_first, row.due, row.enrolment_id

    def free_senders(self, campaign: Campaign, row: Waiting, now: datetime) -> list[Sender]:
        via = self.step(row).via
        if via is Via.HAND or (via is Via.MAIL and not self.has_mails_left(campaign, row, now)):
            return []
        if via is Via.MAIL and not row.has_address:
            return []
        every, begun = (
            (campaign.mailbox_ids, row.mailbox_id)
            if via is Via.MAIL
            else (campaign.linkedin_ids, row.linkedin_id)
        )
        senders = [self.senders[via, id_] for id_ in sorted(every) if begun in (None, id_)]
        return [
            sender
            for sender in senders
            if is_free(sender, now) and is_open(campaign, campaign.zone_for(row, sender), now)
        ]

    def has_mails_left(self, campaign: Campaign, row: Waiting, now: datetime) -> bool:
        account = self.account
        return (
            left_of(campaign.daily_cap, campaign.used, campaign.schedule.zone, now) > 0
            and left_of(account.daily_cap, account.used, account.zone, now) > 0
            and not self.is_domain_full(row.domain, now)
        )


def one_more(used, at, zone):
    day = local_date(at, zone)
    return {**used, day: used.get(day, 0) + 1}


def left_of(cap, used, zone, now) -> int:
    return (10**9 if cap is None else cap) - used.get(local_date(now, zone), 0)


def left_of_sender(sender: Sender, now: datetime) -> int:
    cap = sender.cap_on(local_date(now, sender.zone).toordinal())
    return left_of(cap, sender.used, sender.zone, now)


def is_free(sender: Sender, now: datetime) -> bool:
    return (sender.free_at is None or now >= sender.free_at) and left_of_sender(sender, now) > 0


def choose(free, campaign, row, now) -> Sender:
    most = max(left_of_sender(sender, now) for sender in free)
    best = [sender for sender in free if left_of_sender(sender, now) == most]
    return best[draw(campaign.seed, row.enrolment_id, row.step_number, "sender", below=len(best))]


def is_open(campaign, zone, now) -> bool:
    """Straight from the wall clock: its date, weekday and minute, and not on a second pass."""
    schedule = campaign.schedule
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return (
        not local.fold
        and (schedule.starts_on is None or schedule.starts_on <= local.date())
        and (schedule.ends_on is None or local.date() <= schedule.ends_on)
        and local.date() not in schedule.closed
        and any(opens <= minute < closes for opens, closes in schedule.windows[local.weekday()])
    )
