"""Verbs of endpoints: make, change, rotate, disable, enable, test, trigger."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from pipelime.accounts.acting import person_acting
from pipelime.accounts.models import Account, ApiKey
from pipelime.changing import assign, check_belongs, conflict_when_taken
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from pipelime.events.recording import record
from webhooks.dialects import dialect_named
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.subscribing import Heard, insert_deliveries, listener_of
from webhooks.targets import checked


def create_endpoint(
    account: Account,
    *,
    by: Any,
    events: Sequence[str],
    dialect: str = "native",
    target_type: str = "url",
    api_key: ApiKey | None = None,
    raw_key: str = "",
    **facts: Any,
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is shown now and never again. `facts` are url or email, name,
    description, on_menu; a raw key, where one is given, is the secret."""
    endpoint = Endpoint(account=account, dialect=dialect, target_type=target_type, api_key=api_key)
    # Checked before the transaction: looking up a name may take seconds, and SQLite has one writer.
    wanted = {"url": "", "email": ""} | facts | {"events": events}
    assign(endpoint, checked(endpoint, wanted))
    secret = raw_key or dialect_named(dialect).new_secret()
    endpoint.secret, endpoint.target_key = secret, target_key(endpoint)
    endpoint.created_by = person_acting(by, account.pk)
    with transaction.atomic():
        with taken(endpoint):
            endpoint.save()
        record("endpoint.created", endpoint, by=by)
    return endpoint, secret


def update_endpoint(endpoint: Endpoint, *, by: Any, **changes: Any) -> Endpoint:
    """Change url or email, events, name, description, or whether it is in the menu of leads."""
    changed = assign(endpoint, checked(endpoint, changes))
    if changed:
        endpoint.target_key = target_key(endpoint)
        with transaction.atomic():
            with taken(endpoint):
                endpoint.save(update_fields=[*changed, "target_key", "updated_at"])
            record("endpoint.updated", endpoint, by=by, changes=changed)
    return endpoint


def target_key(endpoint: Endpoint) -> str | None:
    """What two endpoints of a dialect may not share, if it knows each pair of event and target once."""
    if not dialect_named(endpoint.dialect).is_once:
        return None
    told = "\n".join([endpoint.dialect, endpoint.target_type, endpoint.target, *sorted(endpoint.events)])
    return hashlib.sha256(told.encode()).hexdigest()


def taken(endpoint: Endpoint):
    """Let the unique constraint decide, and name the endpoint that was first."""
    return conflict_when_taken(
        f"{', '.join(endpoint.events)} is sent to {endpoint.target} already",
        lambda: Endpoint.objects.filter(
            account_id=endpoint.account_id, target_key=endpoint.target_key
        ).first(),
    )


@transaction.atomic
def delete_endpoint(endpoint: Endpoint, *, by: Any) -> None:
    """Remove the endpoint with the record of what it was sent. A delivery under way ends unrecorded."""
    record("endpoint.deleted", endpoint, by=by)
    Attempt.objects.filter(delivery__endpoint=endpoint).delete()
    # Below the ORM's cascade, which would read every delivery first.
    Delivery.objects.filter(endpoint=endpoint)._raw_delete("default")  # noqa: SLF001
    endpoint.delete()


@transaction.atomic
def rotate_secret(endpoint: Endpoint, *, by: Any) -> str:
    """A new secret, shown now and never again. For a day both sign, where the dialect has it so."""
    secret = dialect_named(endpoint.dialect).new_secret()
    endpoint.old_secret, endpoint.secret = endpoint.secret, secret
    endpoint.old_secret_until = timezone.now() + settings.WEBHOOK_SECRET_OVERLAP
    endpoint.save(update_fields=["old_secret", "secret", "old_secret_until", "updated_at"])
    record("endpoint.secret_rotated", endpoint, by=by)
    return secret


@transaction.atomic
def disable_endpoint(endpoint: Endpoint, *, by: Any, reason: str) -> bool:
    """Stop sending, with what is still queued cancelled: a replay brings it back. False: it was disabled."""
    now = timezone.now()
    if not _write_if(endpoint, is_enabled=True, disabled_at=now, disabled_reason=reason[:500]):
        return False
    call_off(endpoint)
    record("endpoint.disabled", endpoint, by=by)
    return True


def is_disabled(endpoint: Endpoint) -> bool:
    """What the database says now; a batch may have begun before."""
    return Endpoint.objects.filter(pk=endpoint.pk, disabled_at__isnull=False).exists()


def call_off(endpoint: Endpoint) -> int:
    """Cancel what is queued for a disabled endpoint, so that nothing looks due that will not be sent."""
    queued = Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.QUEUED)
    return queued.update(state=Delivery.State.CANCELLED, last_error="The webhook was disabled")


@transaction.atomic
def enable_endpoint(endpoint: Endpoint, *, by: Any) -> bool:
    """Send again from now on; `replaying.replay` offers what was missed. False: it was enabled."""
    cleared = {"disabled_at": None, "disabled_reason": "", "failing_since": None, "warned_at": None}
    if not _write_if(endpoint, is_enabled=False, **cleared):
        return False
    record("endpoint.enabled", endpoint, by=by)
    return True


@transaction.atomic
def send_test(endpoint: Endpoint, *, by: Any) -> Delivery:
    """Queue an `endpoint.tested` event for this endpoint, whatever it listens to."""
    refuse_disabled(endpoint, "testing")
    event = record("endpoint.tested", endpoint, by=by)
    return deliver_to(endpoint, event, event.name)


@transaction.atomic
def trigger(lead: Any, endpoint: Endpoint, *, by: Any) -> Delivery:
    """Send a lead to an endpoint of the leads' menu, because somebody wants it now."""
    check_belongs(endpoint, lead.account_id, field="endpoint")
    name = dialect_named(endpoint.dialect).triggered
    if name not in endpoint.events:
        raise Invalid(f"{endpoint} does not listen to {name}, so nothing can trigger it", field="endpoint")
    refuse_disabled(endpoint, "triggering")
    webhook = {"id": str(endpoint.uid), "number": endpoint.pk, "name": str(endpoint)}
    event = record("lead.triggered", lead, by=by, endpoint=webhook)
    return deliver_to(endpoint, event, name)


def deliver_to(endpoint: Endpoint, event: Event, name: str) -> Delivery:
    """The delivery of an event to one endpoint, made if it did not listen anyway."""
    found = Delivery.objects.filter(endpoint=endpoint, event=event)
    if not found.exists():
        insert_deliveries([Heard(listener_of(endpoint), event, name)])
    return found.get()


def refuse_disabled(endpoint: Endpoint, doing: str) -> None:
    if not endpoint.is_enabled:
        raise Conflict(
            f"This webhook is disabled; enable it before {doing} it",
            existing=str(endpoint.uid),
            number=endpoint.pk,
        )


def _write_if(endpoint: Endpoint, *, is_enabled: bool, **values: Any) -> bool:
    """Compare and set, so that of two who disable at once one does and tells."""
    row = Endpoint.objects.filter(pk=endpoint.pk, disabled_at__isnull=is_enabled)
    changed = row.update(**values, updated_at=timezone.now())
    if changed:
        for name, value in values.items():
            setattr(endpoint, name, value)
    return bool(changed)
