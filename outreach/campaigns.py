"""Campaigns: making, changing, starting, pausing and deleting them.

One rule for changes to a campaign that has begun: they hold for whatever has not been done yet. Words,
weights, conditions and senders may change at any time, a delay for whoever does not wait for its end yet.
Steps keep their order and channel; new ones may follow the last, and whoever is under way gets them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from outreach.campaign_facts import clean_limit, clean_name, facts, set_schedule, set_senders, set_settings
from outreach.deliverability import gate
from outreach.enrolments import CHUNK, change, locked, locked_ids, release, reopen, replan, stop, whole
from outreach.models import Campaign, EmailAccount, Enrolment, LinkedInAccount, Message
from outreach.moving_on import by_clock
from outreach.readiness import problems, step_problems
from outreach.steps import write_steps
from outreach.windows import due_after
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account
from pipelime.bulk import in_chunks
from pipelime.doorbell import ring
from pipelime.errors import Conflict, Invalid, Suspended
from pipelime.events.recording import record

# A change of these gives unsent messages new slots.
REPLANNED = {"schedule", "mailboxes", "linkedin_accounts", "daily_limit", "settings"}


@transaction.atomic
def create_campaign(
    account: Account,
    *,
    by,
    name: str,
    steps: Sequence[dict] = (),
    schedule: dict | None = None,
    mailboxes: Sequence[EmailAccount] = (),
    linkedin_accounts: Sequence[LinkedInAccount] = (),
    daily_limit: int | None = None,
    settings: dict | None = None,
    is_template: bool = False,
) -> Campaign:
    """A draft; or a template, which is never started but copied."""
    campaign = Campaign(
        account=account,
        name=clean_name(name),
        is_template=is_template,
        time_zone=account.time_zone,
        daily_limit=clean_limit(daily_limit),
        created_by=person_acting(by, account.pk),
    )
    set_schedule(campaign, schedule)
    set_settings(campaign, settings or {})
    campaign.save()
    write_steps(campaign, steps)
    set_senders(campaign, mailboxes, linkedin_accounts)
    record("campaign_template.created" if is_template else "campaign.created", campaign, by=by)
    return campaign


@transaction.atomic
def update_campaign(
    campaign: Campaign,
    *,
    by,
    seen_at: datetime | None = None,
    include_finished: bool = False,
    **changes: Any,
) -> Campaign:
    """Change what is given. `seen_at` is the `updated_at` that the writer saw: Conflict if it is no more.

    With `include_finished`, whoever was through goes on with the steps that are new.
    """
    if seen_at is not None and held(campaign).updated_at != seen_at:
        raise Conflict("Somebody else has changed this campaign meanwhile; nothing was saved")
    before = {"name": held(campaign).name} | facts(campaign)
    assign(campaign, changes)
    after = {"name": campaign.name} | facts(campaign)
    differences = {name: said(before[name], after[name]) for name in after if before[name] != after[name]}
    if "steps" in differences:
        check_begun(campaign)
    if differences:
        follow_changes(campaign, set(differences), by=by)
        record("campaign.updated", campaign, by=by, changes=differences)
        ring("outreach.tasks.plan_due")
    if include_finished and len(after["steps"]) > len(before["steps"]):
        continue_finished(campaign, len(before["steps"]) + 1, by=by)
    return campaign


def assign(campaign: Campaign, changes: dict[str, Any]) -> None:
    if "name" in changes:
        campaign.name = clean_name(changes["name"])
    if "daily_limit" in changes:
        campaign.daily_limit = clean_limit(changes["daily_limit"])
    set_schedule(campaign, changes.get("schedule"))
    set_settings(campaign, changes.get("settings") or {})
    campaign.save()
    if "steps" in changes:
        write_steps(campaign, changes["steps"])
    set_senders(campaign, changes.get("mailboxes"), changes.get("linkedin_accounts"))


def said(old: Any, new: Any) -> list:
    """Of a change, as its event tells it. Steps and senders are too long to be told twice."""
    return [None, "changed"] if isinstance(new, list) else [old, new]


def held(campaign: Campaign) -> Campaign:
    """The same instance, locked and read anew: a plan or another verb that is at it is waited for."""
    campaign.refresh_from_db(from_queryset=locked(Campaign.objects.all()))
    return campaign


def check_begun(campaign: Campaign) -> None:
    """New words of a running campaign are as good as those that it may start with."""
    if campaign.status != Campaign.Status.STARTED:
        return
    if reasons := step_problems(campaign, list(campaign.steps.all())):
        raise Invalid(" ".join(reasons), fields={"steps": reasons})


def follow_changes(campaign: Campaign, changed: set[str], *, by) -> None:
    """What was planned under the old rules is planned anew; new words may be what somebody was held for."""
    if REPLANNED & changed:
        replan(Message.objects.filter(campaign=campaign), error="the campaign was changed")
    if "steps" in changed:
        release(Enrolment.objects.filter(campaign=campaign), by=by)


def continue_finished(campaign: Campaign, number: int, *, by) -> None:
    """Whoever was through waits for this new step, its delay counted from now."""
    step, now = campaign.steps.get(number=number), timezone.now()
    through = Enrolment.objects.filter(campaign=campaign, state=Enrolment.State.FINISHED)
    if through.exists():
        reopen(Campaign.objects.filter(pk=campaign.pk))
        campaign.refresh_from_db()
    here = through.filter(pk__among=locked_ids(through))
    for clock, ids in by_clock(campaign, here).items():
        due_at = due_after(campaign, step, now, clock)
        there = {"state": Enrolment.State.WAITING, "step_number": number, "due_at": due_at}
        for some in in_chunks(ids, CHUNK):
            change(whole(through.filter(pk__in=some)), by=by, **there)


def delete_campaign(campaign: Campaign, *, by) -> None:
    """Soft: nothing more is sent, the ledger of what was sent stays."""
    with transaction.atomic():
        if held(campaign).deleted_at:
            return
        campaign.deleted_at = timezone.now()
        campaign.save(update_fields=["deleted_at", "updated_at"])
        replan(Message.objects.filter(campaign=campaign), error="the campaign was deleted")
        deleted = "campaign_template.deleted" if campaign.is_template else "campaign.deleted"
        record(deleted, campaign, by=by)
    # From here on nobody is planned for it any more, however long the many enrolments take.
    stop(Enrolment.objects.filter(campaign=campaign), reason="the campaign was deleted")


def start_campaign(campaign: Campaign, *, by) -> Campaign:
    """Start, or go on after a pause. Raises Invalid with every reason why it may not."""
    gate.refresh(campaign)  # name servers take their time: no transaction waits for them
    return started(campaign, by=by)


@transaction.atomic
def started(campaign: Campaign, *, by) -> Campaign:
    if held(campaign).account.is_suspended:
        raise Suspended("This account is suspended; nothing is sent")
    if campaign.status == Campaign.Status.STARTED:
        return campaign
    if campaign.is_template:
        raise Invalid("A template is not started; make a campaign of it first")
    if reasons := problems(campaign):
        raise Invalid(" ".join(reasons), fields={"campaign": reasons})
    resumed = campaign.status == Campaign.Status.PAUSED
    campaign.status = Campaign.Status.STARTED
    campaign.started_at = campaign.started_at or timezone.now()
    campaign.finished_at = None
    campaign.save(update_fields=["status", "started_at", "finished_at", "updated_at"])
    record("campaign.resumed" if resumed else "campaign.started", campaign, by=by)
    ring("outreach.tasks.plan_due")
    return campaign


@transaction.atomic
def pause_campaign(campaign: Campaign, *, by) -> Campaign:
    """Nothing more is begun; what is queued is planned anew when the campaign goes on."""
    if held(campaign).status == Campaign.Status.PAUSED:
        return campaign
    if campaign.status != Campaign.Status.STARTED:
        raise Invalid(
            f"This campaign is {campaign.get_status_display().lower()}; only a started one can pause"
        )
    campaign.status = Campaign.Status.PAUSED
    campaign.save(update_fields=["status", "updated_at"])
    replan(Message.objects.filter(campaign=campaign), error="the campaign was paused")
    record("campaign.paused", campaign, by=by)
    return campaign
