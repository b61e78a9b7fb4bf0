"""Campaigns: making, changing, starting, pausing; and what must be right before one may start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.models import Field
from outreach.enrolments import locked, release, replan, stop
from outreach.letters import KNOWN, draft, postal_address
from outreach.models import Campaign, EmailAccount, Enrolment, Message, SequenceStep
from outreach.steps import write_steps
from outreach.templating import check
from outreach.windows import check_schedule, schedule_of
from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account
from pipelime.doorbell import ring
from pipelime.errors import Invalid, Suspended
from pipelime.events.recording import record
from pipelime.scope import check_ids

OWN_SETTINGS = ("stop_on_reply", "postal_address", "allow_in_other_campaigns")


@transaction.atomic
def create_campaign(
    account: Account,
    *,
    by,
    name: str,
    steps: Sequence[dict] = (),
    schedule: dict | None = None,
    mailboxes: Sequence[EmailAccount] = (),
    daily_limit: int | None = None,
    settings: dict | None = None,
) -> Campaign:
    campaign = Campaign(
        account=account,
        name=clean_name(name),
        time_zone=account.time_zone,
        daily_limit=clean_limit(daily_limit),
        created_by=person_acting(by, account.pk),
    )
    set_schedule(campaign, schedule)
    set_settings(campaign, settings or {})
    campaign.save()
    write_steps(campaign, steps)
    set_mailboxes(campaign, mailboxes)
    record("campaign.created", campaign, by=by)
    return campaign


@transaction.atomic
def update_campaign(campaign: Campaign, *, by, **changes: Any) -> Campaign:
    """Change what is given. Steps of a campaign that has begun may get new words, not another order."""
    campaign = held(campaign)
    before = campaign.snapshot() | {"daily_limit": campaign.daily_limit}
    if "name" in changes:
        campaign.name = clean_name(changes["name"])
    if "daily_limit" in changes:
        campaign.daily_limit = clean_limit(changes["daily_limit"])
    if "schedule" in changes:
        set_schedule(campaign, changes["schedule"])
    if "settings" in changes:
        set_settings(campaign, changes["settings"] or {})
    campaign.save()
    if "steps" in changes:
        write_steps(campaign, changes["steps"])
    if "mailboxes" in changes:
        set_mailboxes(campaign, changes["mailboxes"])
    after = campaign.snapshot() | {"daily_limit": campaign.daily_limit}
    differences = {
        key: [before[key], after[key]] for key in ("name", "daily_limit") if before[key] != after[key]
    }
    differences |= {
        key: [None, "changed"] for key in ("schedule", "settings", "steps", "mailboxes") if key in changes
    }
    if differences:
        follow_changes(campaign, changes, by=by)
        record("campaign.updated", campaign, by=by, changes=differences)
        ring("outreach.tasks.plan_due")
    return campaign


def held(campaign: Campaign) -> Campaign:
    """The same instance, locked and read anew: a plan or another verb that is at it is waited for."""
    campaign.refresh_from_db(from_queryset=locked(Campaign.objects.all()))
    return campaign


def follow_changes(campaign: Campaign, changes: dict[str, Any], *, by) -> None:
    """What was planned under the old rules is planned anew; new words may be what somebody was held for."""
    if {"schedule", "mailboxes", "daily_limit"} & set(changes):
        replan(Message.objects.filter(campaign=campaign), error="the campaign was changed")
    if "steps" in changes:
        release(Enrolment.objects.filter(campaign=campaign), by=by)


def delete_campaign(campaign: Campaign, *, by) -> None:
    """Soft: nothing more is sent, the ledger of what was sent stays."""
    with transaction.atomic():
        if held(campaign).deleted_at:
            return
        campaign.deleted_at = timezone.now()
        campaign.save(update_fields=["deleted_at", "updated_at"])
        replan(Message.objects.filter(campaign=campaign), error="the campaign was deleted")
        record("campaign.deleted", campaign, by=by)
    # From here on nobody is planned for it any more, however long the many enrolments take.
    stop(Enrolment.objects.filter(campaign=campaign), reason="the campaign was deleted")


@transaction.atomic
def start_campaign(campaign: Campaign, *, by) -> Campaign:
    """Start, or go on after a pause. Raises Invalid with every reason why it may not."""
    if held(campaign).account.is_suspended:
        raise Suspended("This account is suspended; nothing is sent")
    if campaign.status == Campaign.Status.STARTED:
        return campaign
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


def problems(campaign: Campaign) -> list[str]:
    """Every reason why the campaign may not start, each a sentence that says what to do."""
    steps, mailboxes = list(campaign.steps.all()), list(campaign.mailboxes.all())
    found = []
    if not steps:
        found.append("It has no steps: write at least one e-mail.")
    if not [mailbox for mailbox in mailboxes if mailbox.deleted_at is None]:
        found.append("It has no mailbox to send from: choose at least one.")
    elif all(mailbox.paused_at for mailbox in mailboxes):
        found.append(
            f"Its mailboxes are paused ({mailboxes[0].pause_reason}): resume one, or choose another."
        )
    if not postal_address(campaign):
        found.append(
            "It has no postal address, which the law wants in every such mail: "
            "set the campaign's or the account's."
        )
    if campaign.ends_on and schedule_of(campaign).next_open(timezone.now()) is None:
        found.append(f"It ended on {campaign.ends_on}: choose a later last day.")
    known = KNOWN | set(Field.objects.filter(kind=Field.Kind.CONTACT).values_list("key", flat=True))
    for step in steps:
        found += step_problems(step, known)
    return found


def step_problems(step: SequenceStep, known: set[str]) -> list[str]:
    found = []
    for variant in step.variants:
        where = f"Step {step.number}" + (f", variant {variant['key']}" if len(step.variants) > 1 else "")
        if step.number == 1 and not variant["subject"].strip():
            found.append(f"{where} has no subject.")
        if not variant["body"].strip():
            found.append(f"{where} has no text.")
        faults = check(variant["subject"], known) + check(variant["body"], known)
        found += [f"{where}: {fault}." for fault in faults]
        if not faults and "unsubscribe_url" not in draft_text(variant):
            found.append(f"{where} has no way to unsubscribe: put {{{{ unsubscribe_url }}}} into it.")
    return found


def draft_text(variant: dict) -> str:
    """The body as it will be sent, footer included."""
    made = draft(variant["subject"] or "-", variant["body"])
    return "".join(part.text for part in (made.text, made.html) if part is not None)


def clean_name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise Invalid("A campaign needs a name", field="name")
    if len(name.strip()) > 250:
        raise Invalid(f"The name has {len(name.strip())} characters; at most 250", field="name")
    return name.strip()


def clean_limit(limit: Any) -> int | None:
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= 1_000_000:
        raise Invalid(
            f"{limit!r}: use a whole number from 1 to 1,000,000, or null for no limit", field="daily_limit"
        )
    return limit


def set_schedule(campaign: Campaign, schedule: dict | None) -> None:
    if schedule is None:
        return
    if unknown := set(schedule) - {"time_zone", "windows", "starts_on", "ends_on"}:
        raise Invalid(
            f"A schedule has time_zone, windows, starts_on and ends_on, not {sorted(unknown)[0]!r}",
            field="schedule",
        )
    zone = schedule.get("time_zone") or campaign.time_zone
    windows = schedule["windows"] if schedule.get("windows") is not None else campaign.windows
    starts_on, ends_on = as_date(schedule, "starts_on", campaign), as_date(schedule, "ends_on", campaign)
    check_schedule(zone, windows, starts_on, ends_on)
    campaign.time_zone, campaign.windows = zone, windows
    campaign.starts_on, campaign.ends_on = starts_on, ends_on


def as_date(schedule: dict, name: str, campaign: Campaign) -> date | None:
    value = schedule.get(name, getattr(campaign, name))
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Invalid(f"{name}: {value!r} is no date; use YYYY-MM-DD", field="schedule") from None


def set_settings(campaign: Campaign, settings: dict) -> None:
    if unknown := set(settings) - set(OWN_SETTINGS):
        raise Invalid(f"settings has {', '.join(OWN_SETTINGS)}, not {sorted(unknown)[0]!r}", field="settings")
    for name in ("stop_on_reply", "allow_in_other_campaigns"):
        if name in settings and not isinstance(settings[name], bool):
            raise Invalid(f"{name} is true or false, not {settings[name]!r}", field="settings")
    campaign.stop_on_reply = settings.get("stop_on_reply", campaign.stop_on_reply)
    campaign.postal_address = (settings.get("postal_address", campaign.postal_address) or "").strip()
    if "allow_in_other_campaigns" in settings:
        campaign.options["allow_in_other_campaigns"] = settings["allow_in_other_campaigns"]


def set_mailboxes(campaign: Campaign, mailboxes: Sequence[EmailAccount]) -> None:
    check_ids(EmailAccount, {mailbox.pk for mailbox in mailboxes}, campaign.account_id)
    campaign.mailboxes.set(mailboxes)
