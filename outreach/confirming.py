"""An operator confirms that what is unsent may go out, having seen what that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from outreach import fence
from outreach.campaigns import pause_campaign
from outreach.fence_file import read_trace, write_trace
from outreach.models import Campaign, Fence, Message
from pipelime.doorbell import ring
from pipelime.scope import account_scope, every_account

log = structlog.get_logger(__name__)

LEAP = 1_000_000  # beats that a confirmation adds: no machine's file is ahead of the row then
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Unsent:
    """What waits behind the fence, of all accounts; `first` are the ones that go out next."""

    due: int
    later: int
    running: int
    first: list[Message]


def unsent() -> Unsent:
    now = timezone.now()
    with every_account():
        queued = Message.objects.filter(state=Message.State.QUEUED)
        return Unsent(
            due=queued.filter(due_at__lte=now).count(),
            later=queued.filter(due_at__gt=now).count(),
            running=Campaign.objects.alive().filter(status=Campaign.Status.STARTED).count(),
            first=list(queued.select_related("account").order_by("due_at", "pk")[:SHOWN]),
        )


def confirm(*, by: str, pause_campaigns: bool = False) -> Fence | None:
    """Sending goes on. None when nothing was held.

    With `pause_campaigns` every running campaign is paused first, so that people resume one after another.
    """
    row = fence.held()
    if row is None:
        return None
    if pause_campaigns:
        pause_all()
    if lowered := lower(by, timezone.now()):
        write_trace(lowered.installation, lowered.beats)
        fence.forget()
        ring("outreach.tasks.send_due")
    return lowered


def pause_all() -> int:
    with every_account():
        running = list(Campaign.objects.alive().filter(status=Campaign.Status.STARTED).order_by("pk"))
    for campaign in running:
        with account_scope(campaign.account_id):
            pause_campaign(campaign, by=None)
    return len(running)


@transaction.atomic
def lower(by: str, now: datetime) -> Fence | None:
    row = Fence.objects.select_for_update().filter(held_at__isnull=False).first()
    if row is None:
        return None
    trace = read_trace()
    log.warning("sending.confirmed", by=by, reason=row.reason, installation=row.installation)
    row.beats = max(row.beats, trace.beats if trace else 0) + LEAP
    row.beat_at = row.confirmed_at = now
    row.held_at, row.reason, row.confirmed_by = None, "", by[:250]
    row.save()
    return row
