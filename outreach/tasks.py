"""Celery entry points. A task looks at rows and hands them to the domain; it decides nothing."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from outreach import planning, settling
from outreach.claiming import claim_batch, release_expired
from outreach.sending import send_batch
from pipelime.doorbell import ring_now
from pipelime.scope import every_account

TURN_SECONDS = 50  # then another task goes on, so that a worker can be stopped without waiting long


@shared_task
def send_due() -> int:
    """Send mailbox by mailbox until nothing is due. Other threads take the other mailboxes."""
    ends, sent = time.monotonic() + TURN_SECONDS, 0
    with every_account():
        settling.expire_sending()
        release_expired()
    while time.monotonic() < ends:
        with every_account():
            batch = claim_batch(timezone.now())
        if batch is None:
            return sent
        ring_now("outreach.tasks.send_due")  # there may be another mailbox for another thread
        sent += send_batch(batch)
    return sent


@shared_task
def plan_due() -> int:
    """One round of planning for every account with a running campaign."""
    with every_account():
        account_ids = planning.accounts_to_plan()
    return sum(planning.plan_account(account_id, timezone.now()) for account_id in account_ids)
