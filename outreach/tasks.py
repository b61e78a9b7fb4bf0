"""Celery entry points. A task looks at rows and hands them to the domain; it decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import structlog
from celery import shared_task
from django.utils import timezone

from outreach import fence, planning, settling, visits
from outreach.claiming import claim_batch, release_expired
from outreach.incoming import polling
from outreach.linkedin.claiming import claim_next
from outreach.linkedin.working import work
from outreach.sending import send_batch
from pipelime.doorbell import ring_now
from pipelime.scope import every_account

log = structlog.get_logger(__name__)

TURN_SECONDS = 50  # then another task goes on, so that a worker can be stopped without waiting long


@shared_task
def send_due() -> int:
    """Send mailbox by mailbox until nothing is due. Other threads take the other mailboxes."""
    ends, sent = time.monotonic() + TURN_SECONDS, 0
    with every_account():
        settling.expire_sending()
        release_expired()
    while time.monotonic() < ends and not fence.is_held():
        with every_account():
            batch = claim_batch(timezone.now())
        if batch is None:
            return sent
        ring_now("outreach.tasks.send_due")  # there may be another mailbox for another thread
        if not batch.messages:
            return sent  # somebody is changing what was due in it; the bell brings us back
        # A batch that fails falls to its lease, and meanwhile the other mailboxes have their turn.
        sent += alone("mail.batch_failed", lambda batch=batch: send_batch(batch), mailbox=batch.mailbox.pk)
    return sent


@shared_task
def beat() -> str:
    """A sign of life for the restore fence."""
    return fence.beat()


@shared_task
def work_linkedin() -> int:
    """Have providers send what is due on LinkedIn, one message of an account after the other."""
    ends, done = time.monotonic() + TURN_SECONDS, 0
    while time.monotonic() < ends and not fence.is_held():
        with every_account():
            message = claim_next(timezone.now())
        if message is None:
            break
        ring_now("outreach.tasks.work_linkedin")  # there may be another account for another thread
        done += alone("linkedin.failed", lambda message=message: work(message), message=message.pk)
    return done


@shared_task
def poll_mailboxes() -> int:
    """Look into mailbox after mailbox until none is due. Other threads look into the others."""
    ends, taken = time.monotonic() + TURN_SECONDS, 0
    with every_account():
        polling.make_inboxes()
    while time.monotonic() < ends:
        with every_account():
            inbox = polling.due(timezone.now())
        if inbox is None:
            return taken
        ring_now("outreach.tasks.poll_mailboxes")
        visit = partial(polling.poll, inbox, timezone.now())
        taken += alone("mail.poll_broken_off", visit, mailbox=inbox.mailbox_id)
    return taken


@shared_task
def plan_due() -> int:
    """One round of planning for every account with a running campaign."""
    with every_account():
        account_ids = planning.accounts_to_plan()
    return sum(
        alone("planning.failed", lambda pk=pk: planning.plan_account(pk, timezone.now()), account=pk)
        for pk in account_ids
    )


@shared_task
def judge_visits() -> int:
    """Say of each open and click whether it was a person's, once that can be seen."""
    return visits.judge(timezone.now())


def alone(what: str, work: Callable[[], int], **whose: int) -> int:
    """One account's fault is logged and does not stop the others."""
    try:
        return work()
    except Exception:
        log.exception(what, **whose)
        return 0
