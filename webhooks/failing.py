"""Endpoints that fail: since when, whom we warn, and when we stop trying."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from django.conf import settings
from django.utils import timezone

from pipelime.accounts.models import User
from pipelime.accounts.notices import send_notice
from webhooks.claiming import ENDPOINT, execute
from webhooks.endpoints import disable_endpoint
from webhooks.models import Endpoint
from webhooks.outcomes import Outcome

WARN_AFTER = timedelta(days=1)
# In plain SQL, because every batch runs it; nothing is written unless there was something to forget.
WORKS = (
    f"UPDATE {ENDPOINT} SET failing_since = NULL, warned_at = NULL "  # noqa: S608
    "WHERE id = %s AND failing_since IS NOT NULL"
)


def note_health(endpoint: Endpoint, outcomes: Sequence[Outcome]) -> None:
    """Remember whether the endpoint works by the latest of its outcomes; act when it has failed too long."""
    if outcomes[-1].arrived:
        execute(WORKS, [endpoint.pk])
        return
    row = Endpoint._base_manager.filter(pk=endpoint.pk)
    if any(outcome.arrived for outcome in outcomes):
        row.update(failing_since=first_failure(outcomes), warned_at=None)
    else:
        row.filter(failing_since=None).update(failing_since=first_failure(outcomes))
    if any(outcome.status == HTTPStatus.GONE for outcome in outcomes):
        give_up(endpoint, "The receiver answered 410 Gone")
    else:
        judge(row.get())


def first_failure(outcomes: Sequence[Outcome]) -> datetime:
    """When the failures began with which the batch ends."""
    began = outcomes[-1].at
    for outcome in reversed(outcomes):
        if outcome.arrived:
            break
        began = outcome.at
    return began


def judge(endpoint: Endpoint) -> None:
    if endpoint.failing_since is None:
        return
    failing_for = timezone.now() - endpoint.failing_since
    if failing_for >= settings.WEBHOOK_DISABLE_AFTER:
        give_up(endpoint, f"Nothing could be delivered for {settings.WEBHOOK_DISABLE_AFTER.days} days")
    elif failing_for >= WARN_AFTER:
        warn(endpoint)


def give_up(endpoint: Endpoint, reason: str) -> None:
    if disable_endpoint(endpoint, by=None, reason=reason):
        mail_admins(
            endpoint,
            "A webhook was disabled",
            f"{reason}, so the webhook {endpoint.target} was disabled and gets no more events.\n\n"
            "When its receiver works again, enable it and replay what it has missed.",
        )


def warn(endpoint: Endpoint) -> None:
    """Once in each series of failures."""
    unwarned = Endpoint._base_manager.filter(pk=endpoint.pk, warned_at=None, disabled_at=None)
    if unwarned.update(warned_at=timezone.now()):
        mail_admins(
            endpoint,
            "A webhook is failing",
            f"Nothing could be delivered to the webhook {endpoint.target} since "
            f"{endpoint.failing_since:%Y-%m-%d %H:%M} UTC. Deliveries are repeated; after "
            f"{settings.WEBHOOK_DISABLE_AFTER.days} days without success it is disabled.",
        )


def mail_admins(endpoint: Endpoint, subject: str, text: str) -> None:
    for admin in User.objects.admins().filter(account_id=endpoint.account_id):
        send_notice(endpoint.account, admin.email, subject, text)
