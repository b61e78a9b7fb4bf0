"""Verbs of endpoints: make, change, rotate, disable, enable, test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from pipelime.accounts.models import Account, ApiKey, User
from pipelime.errors import Conflict, Invalid
from pipelime.events.names import unknown
from pipelime.events.recording import record
from pipelime.outbound import OutboundError, Target, allowed_in_clear, parse_url, resolve
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.signing import new_secret
from webhooks.subscribing import Listener, insert_deliveries

PATTERNS_AT_MOST = 100


def create_endpoint(
    account: Account,
    *,
    by: Any,
    url: str,
    events: Sequence[str],
    description: str = "",
    dialect: str = "native",
    api_key: ApiKey | None = None,
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is shown now and never again."""
    if dialect not in settings.WEBHOOK_RENDERERS:
        known = ", ".join(sorted(settings.WEBHOOK_RENDERERS))
        raise Invalid(f"{dialect!r} is no dialect of webhooks; use one of: {known}", field="dialect")
    # Checked before the transaction: looking up a name may take seconds, and SQLite has one writer.
    facts = checked({"url": url, "events": events, "description": description})
    secret = new_secret()
    with transaction.atomic():
        endpoint = Endpoint.objects.create(
            account=account,
            dialect=dialect,
            secret=secret,
            api_key=api_key,
            created_by=by if isinstance(by, User) and by.account_id == account.pk else None,
            **facts,
        )
        record("endpoint.created", endpoint, by=by)
    return endpoint, secret


def update_endpoint(endpoint: Endpoint, *, by: Any, **changes: Any) -> Endpoint:
    """Change url, events or description."""
    new = {name: value for name, value in checked(changes).items() if value != getattr(endpoint, name)}
    if new:
        with transaction.atomic():
            told = {name: [getattr(endpoint, name), value] for name, value in new.items()}
            for name, value in new.items():
                setattr(endpoint, name, value)
            endpoint.save(update_fields=[*new, "updated_at"])
            record("endpoint.updated", endpoint, by=by, changes=told)
    return endpoint


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
    """A new secret, shown now and never again; for a day deliveries are signed by the old one as well."""
    secret = new_secret()
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
    if not endpoint.is_enabled:
        raise Conflict("This webhook is disabled; enable it before testing it", existing=str(endpoint.uid))
    event = record("endpoint.tested", endpoint, by=by)
    if not endpoint.listens_to(event):
        listener = Listener(endpoint.pk, endpoint.account_id, endpoint.events, endpoint.dialect)
        insert_deliveries([(listener, event)])
    return Delivery.objects.get(endpoint=endpoint, event=event)


def _write_if(endpoint: Endpoint, *, is_enabled: bool, **values: Any) -> bool:
    """Compare and set, so that of two who disable at once one does and tells."""
    row = Endpoint.objects.filter(pk=endpoint.pk, disabled_at__isnull=is_enabled)
    changed = row.update(**values, updated_at=timezone.now())
    if changed:
        for name, value in values.items():
            setattr(endpoint, name, value)
    return bool(changed)


def checked(facts: dict[str, Any]) -> dict[str, Any]:
    """What callers gave, cleaned; Invalid names the first field that will not do."""
    for name in facts:
        if name not in CHECKS:
            raise Invalid(f"A webhook has no {name} that can be set; {', '.join(CHECKS)} can", field=name)
    return {name: CHECKS[name](value) for name, value in facts.items()}


def check_url(url: Any) -> str:
    """https anywhere public, http where the operator allows it. Names are looked up only if that decides."""
    if not isinstance(url, str) or not url.strip():
        raise Invalid("A webhook needs a URL such as https://hooks.example.com/pipelime", field="url")
    url = url.strip()
    if len(url) > 2000:
        raise Invalid(f"The URL has {len(url)} characters; at most 2000 are kept", field="url")
    try:
        target = parse_url(url)
        if target.scheme == "https" and is_literal(target):
            resolve(target.host, target.port)
    except OutboundError as error:
        raise Invalid(str(error).removeprefix("url: "), field="url") from None
    if target.scheme == "http" and not allowed_in_clear(target.host, target.port):
        raise Invalid(
            "Use https; plain http is for hosts in the operator's PIPELIME_OUTBOUND_ALLOW only", field="url"
        )
    return url


def is_literal(target: Target) -> bool:
    try:
        ip_address(target.name)
    except ValueError:
        return False
    return True


def check_events(events: Any) -> list[str]:
    if not isinstance(events, list | tuple) or not all(isinstance(name, str) for name in events):
        raise Invalid('Events are a list of names, such as ["contact.created", "lead.*"]', field="events")
    names = list(dict.fromkeys(events))
    if not names:
        raise Invalid('Name at least one event, or ["*"] for all', field="events")
    if len(names) > PATTERNS_AT_MOST:
        raise Invalid(f'More than {PATTERNS_AT_MOST} events; use patterns such as "lead.*"', field="events")
    if wrong := unknown(names):
        raise Invalid(
            f'{wrong[0]!r} is no event; use a name such as "contact.created", "lead.*" for all of a kind, '
            'or "*" for everything',
            field="events",
        )
    return names


def check_description(description: Any) -> str:
    if not isinstance(description, str) or len(description) > 250:
        raise Invalid("A description is text of at most 250 characters", field="description")
    return description.strip()


CHECKS: dict[str, Callable[[Any], Any]] = {
    "url": check_url,
    "events": check_events,
    "description": check_description,
}
