"""/healthz says that the process lives, /readyz whether it can work, /metrics how it is doing."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address, ip_network

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models import Min, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from pipelime.ledger import LedgerRow
from pipelime.scope import every_account

LATE_SECONDS = 300


class HealthMiddleware:
    """Answers before anything that needs a database, a session or a host name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response
        self.answers = {"/healthz": alive, "/readyz": ready, "/metrics": metrics}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.answers.get(request.path)
        return answer(request) if answer else self.get_response(request)


def alive(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> HttpResponse:
    """503 when database or broker does not answer; the oldest due row says whether workers keep up."""
    checks = {"database": database(), "broker": broker()}
    well = all(value == "ok" for value in checks.values())
    if checks["database"] == "ok":
        checks["oldest_due_seconds"] = max((age for _, _, age in queues()), default=0)
        checks["sending"] = sending()
    return JsonResponse({"status": "ok" if well else "unready", **checks}, status=200 if well else 503)


def sending() -> str:
    """Mail that is held waits for an operator; the process works all the same."""
    held = apps.get_model("outreach", "Fence").objects.filter(held_at__isnull=False).exists()
    return "held" if held else "open"


def database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "ok"
    except Exception as error:  # noqa: BLE001  whatever it is, this process cannot work
        return type(error).__name__


def broker() -> str:
    if not settings.BROKER_URL:
        return "ok" if os.access(settings.DATA / "broker", os.W_OK) else "unwritable"
    from pipelime.celery import app

    try:
        with app.connection_for_write(settings.BROKER_URL, connect_timeout=1) as broker_connection:
            broker_connection.ensure_connection(max_retries=0, timeout=1)
        return "ok"
    except Exception as error:  # noqa: BLE001  whatever it is, bells cannot be rung
        return type(error).__name__


def ledgers() -> list[type[LedgerRow]]:
    return [model for model in apps.get_models() if issubclass(model, LedgerRow)]


# A ledger whose rows are served owner by owner: the owner's field, and what stops it from being served.
OWNERS = {
    "endpoint": Q(disabled_at__isnull=False),
    "mailbox": Q(paused_at__isnull=False) | Q(deleted_at__isnull=False),
}


def queues() -> list[tuple[str, int, float]]:
    """(ledger, due rows up to 10,000, age of the oldest in seconds) for every ledger.

    What nobody may act on, because its account is suspended or its mailbox paused, is not late.
    """
    now, found = timezone.now(), []
    with every_account():
        for model in ledgers():
            oldest = oldest_due(model, now)
            due = model._base_manager.filter(state="queued", due_at__lte=now)
            depth = due.order_by()[:10_000].count() if oldest else 0
            age = (now - oldest).total_seconds() if oldest else 0.0
            found.append((model._meta.model_name, depth, age))
    return found


def oldest_due(model: type[LedgerRow], now: datetime) -> datetime | None:
    """One look into the index an owner, however many rows are queued."""
    due = model._base_manager.filter(state="queued", due_at__lte=now)
    owner = next((name for name in OWNERS if name in {field.name for field in model._meta.fields}), None)
    if owner is None:
        return due.filter(account__suspended_at=None).aggregate(oldest=Min("due_at"))["oldest"]
    first = due.filter(**{owner: OuterRef("pk")}).order_by("due_at").values("due_at")[:1]
    owners: type[models.Model] = model._meta.get_field(owner).related_model
    served = owners._base_manager.filter(~OWNERS[owner], account__suspended_at=None)
    return served.annotate(first=Subquery(first)).aggregate(oldest=Min("first"))["oldest"]


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for this machine and METRICS_ALLOW: figures of all accounts are the operator's."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

    if not may_see_metrics(request):
        return HttpResponse(
            "Metrics are served to this machine and to PIPELIME_METRICS_ALLOW, never through a proxy.\n",
            status=403,
            content_type="text/plain",
        )
    registry = CollectorRegistry()
    depth = Gauge("pipelime_due_rows", "Rows that wait to be acted on", ["ledger"], registry=registry)
    age = Gauge("pipelime_oldest_due_seconds", "Age of the oldest due row", ["ledger"], registry=registry)
    states = Gauge("pipelime_rows", "Rows by state", ["ledger", "state"], registry=registry)
    for name, rows, seconds in queues():
        depth.labels(name).set(rows)
        age.labels(name).set(seconds)
    with every_account():
        for model in ledgers():
            for state in ("claimed", "sending", "ambiguous", "failed"):
                if state in model.State.values:
                    count = model._base_manager.filter(state=state)[:10_000].count()
                    states.labels(model._meta.model_name, state).set(count)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_see_metrics(request: HttpRequest) -> bool:
    """A proxy on this machine connects from loopback for the whole world, so what it forwards is refused."""
    if any(request.headers.get(name) for name in ("X-Forwarded-For", "X-Real-Ip", "Forwarded")):
        return False
    peer = ip_address(request.META.get("REMOTE_ADDR") or "127.0.0.1")  # a Unix socket has no address
    allowed = ("127.0.0.0/8", "::1/128", "::ffff:127.0.0.0/104", *settings.METRICS_ALLOW)
    return any(peer in ip_network(network, strict=False) for network in allowed)
