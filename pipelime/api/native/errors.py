"""The error body of our own API: {"error": {"code", "message", "details"}}."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response

from pipelime.api.bodies import TooLarge
from pipelime.api.http import AccountSuspended, Conflict, Unavailable

# The first class that matches wins.
CODES: list[tuple[type[exceptions.APIException], int, str]] = [
    (exceptions.NotAuthenticated, 401, "UNAUTHORIZED"),
    (exceptions.AuthenticationFailed, 401, "UNAUTHORIZED"),
    (AccountSuspended, 403, "FORBIDDEN"),
    (exceptions.PermissionDenied, 403, "FORBIDDEN"),
    (exceptions.NotFound, 404, "NOT_FOUND"),
    (exceptions.MethodNotAllowed, 405, "METHOD_NOT_ALLOWED"),
    (exceptions.NotAcceptable, 406, "NOT_ACCEPTABLE"),
    (Conflict, 409, "CONFLICT"),
    (TooLarge, 413, "PAYLOAD_TOO_LARGE"),
    (exceptions.UnsupportedMediaType, 415, "UNSUPPORTED_MEDIA_TYPE"),
    (exceptions.ParseError, 422, "VALIDATION_ERROR"),
    (exceptions.ValidationError, 422, "VALIDATION_ERROR"),
    (exceptions.Throttled, 429, "RATE_LIMITED"),
    (Unavailable, 503, "UNAVAILABLE"),
]
ANONYMOUS = "Send an API key as 'Authorization: Bearer ki_…', or log in"


def explain(error: exceptions.APIException) -> Response:
    for kind, status, code in CODES:
        if isinstance(error, kind):
            return answer(status, code, message(error), details(error))
    return answer(500, "INTERNAL_ERROR", message(error), {})


def answer(status: int, code: str, words: str, detail: dict[str, list[str]]) -> Response:
    body: dict[str, Any] = {"code": code, "message": words}
    if detail:
        body["details"] = detail
    return Response({"error": body}, status=status)


def message(error: exceptions.APIException) -> str:
    """One sentence; of several faults the first, led by its field."""
    if isinstance(error, exceptions.NotAuthenticated):
        return ANONYMOUS
    if isinstance(error, exceptions.ValidationError):
        field, texts = next(iter(flat(error.detail).items()), ("", ["Invalid request"]))
        return texts[0] if field in ("", "non_field_errors") else f"{field}: {texts[0]}"
    return str(error.detail)


def details(error: exceptions.APIException) -> dict[str, list[str]]:
    if isinstance(error, Conflict):
        return {"existing_id": [str(error.existing)]} if error.existing else {}
    if isinstance(error, exceptions.ValidationError):
        return flat(error.detail)
    return {}


def flat(detail: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's tree of faults as {"emails.0.address": ["…"]}."""
    if isinstance(detail, dict):
        faults: dict[str, list[str]] = {}
        for name, inner in detail.items():
            faults |= flat(inner, f"{path}.{name}" if path else str(name))
        return faults
    if isinstance(detail, list):
        if all(isinstance(item, str) for item in detail):
            return {path or "non_field_errors": [str(item) for item in detail]} if detail else {}
        faults = {}
        for index, inner in enumerate(detail):
            faults |= flat(inner, f"{path}.{index}" if path else str(index))
        return faults
    return {path or "non_field_errors": [str(detail)]}
