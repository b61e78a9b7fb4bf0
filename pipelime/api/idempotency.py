"""A POST with an Idempotency-Key happens once: its answer is stored in the transaction of its effect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import orjson
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.request import Request

from pipelime.api.bodies import dump
from pipelime.api.callers import Caller
from pipelime.api.models import IdempotentAnswer, RateWindow
from pipelime.errors import Conflict
from pipelime.scope import every_account

HEADER = "Idempotency-Key"
LONGEST = 255
BATCH = 2_000
KEPT_WINDOWS = 24 * 3600


def once(
    key: str, request: Request, caller: Caller, respond: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Answer as the first request with this key was answered, or run `respond` and remember what it said.

    Everything happens in one transaction, so an effect is never stored without its answer. Answers
    of 500 and above and 429 are not remembered, and what they did is undone: trying again may help.
    """
    if not 0 < len(key) <= LONGEST or not (key.isascii() and key.isprintable()):
        raise exceptions.ValidationError({HEADER: [f"must be 1 to {LONGEST} printable ASCII characters"]})
    place = {
        "credential": caller.credential,
        "path": request.path.rstrip("/")[:250],
        "key_digest": hashlib.sha256(key.encode()).hexdigest(),
    }
    print_of = fingerprint(request)
    with transaction.atomic():
        take_turn(caller, place)
        stored = fresh(IdempotentAnswer.objects.filter(**place).first())
        if stored is not None:
            return replayed(stored, print_of)
        answer = respond()
        if answer.status_code >= 500 or answer.status_code == 429:
            transaction.set_rollback(True)
        else:
            IdempotentAnswer.objects.create(
                account=caller.account,
                fingerprint=print_of,
                status=answer.status_code,
                body=text_of(answer),
                **place,
            )
    return answer


def take_turn(caller: Caller, place: dict[str, str]) -> None:
    """Refuse while the same request is still running. SQLite's single writer has waited already."""
    if connection.vendor != "postgresql":
        return
    text = f"{caller.account.pk}|{place['credential']}|{place['path']}|{place['key_digest']}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise Conflict(f"A request with this {HEADER} is still running; ask again in a moment")


def fresh(stored: IdempotentAnswer | None) -> IdempotentAnswer | None:
    if stored is not None and stored.created_at < timezone.now() - settings.IDEMPOTENCY_RETENTION:
        stored.delete()
        return None
    return stored


def replayed(stored: IdempotentAnswer, print_of: str) -> HttpResponse:
    if stored.fingerprint != print_of:
        raise exceptions.ValidationError(
            {HEADER: ["was used for another body; use a new key for a new request"]}
        )
    answer = HttpResponse(stored.body.encode(), status=stored.status, content_type="application/json")
    answer["Idempotency-Replayed"] = "true"
    return answer


def text_of(answer: Any) -> str:
    data = getattr(answer, "data", None)
    return "" if data is None else dump(data).decode()


def fingerprint(request: Request) -> str:
    """SHA-256 over the query and the body, in whatever order its fields came; of files, over their bytes."""
    digest = hashlib.sha256(request.META.get("QUERY_STRING", "").encode())
    data = request.data
    if not hasattr(data, "lists"):
        digest.update(orjson.dumps(data, option=orjson.OPT_SORT_KEYS))
        return digest.hexdigest()
    for name, values in sorted(data.lists()):
        for value in values:
            digest.update(f"\0{name}\0".encode())
            digest.update(file_digest(value) if isinstance(value, UploadedFile) else str(value).encode())
    return digest.hexdigest()


def file_digest(upload: UploadedFile) -> bytes:
    digest = hashlib.sha256((upload.name or "").encode())
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.digest()


def prune() -> dict[str, int]:
    """Forget answers older than the retention, and counters of windows long over, a batch at a time."""
    now = timezone.now()
    with every_account():
        old = IdempotentAnswer.objects.filter(created_at__lt=now - settings.IDEMPOTENCY_RETENTION)
        answers = in_batches(old.order_by("pk"))
    windows = in_batches(RateWindow.objects.filter(window__lt=now.timestamp() - KEPT_WINDOWS).order_by("pk"))
    return {"idempotent_answers": answers, "rate_windows": windows}


def in_batches(rows: Any) -> int:
    gone = 0
    while ids := list(rows.values_list("pk", flat=True)[:BATCH]):
        gone += rows.model._base_manager.filter(pk__in=ids).delete()[0]
    return gone
