"""The vendor's error body: {"error": "a sentence"}, and an object where a right is missing."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response

from pipelime.api.bodies import TooLarge
from pipelime.api.http import AccountSuspended, Conflict

KEY_MISSING = "API key is required. Send it in the x-api-key header"
# The first class that matches wins.
STATUSES: list[tuple[type[exceptions.APIException], int]] = [
    (exceptions.NotAuthenticated, 401),
    (exceptions.AuthenticationFailed, 401),
    (AccountSuspended, 402),
    (exceptions.NotFound, 404),
    (exceptions.MethodNotAllowed, 405),
    (exceptions.NotAcceptable, 406),
    (Conflict, 409),
    (TooLarge, 413),
    (exceptions.UnsupportedMediaType, 415),
    (exceptions.ParseError, 400),
    (exceptions.ValidationError, 400),
    (exceptions.Throttled, 429),
]


def explain(error: exceptions.APIException, *, scope: str) -> Response:
    """`scope` is what the request needed, which a refusal names."""
    if isinstance(error, exceptions.PermissionDenied):
        return Response({"error": forbidden(scope)}, status=403)
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    return Response({"error": sentence(error)}, status=status)


def forbidden(scope: str) -> dict[str, str]:
    message = f"You do not have permission to access this resource. Required scope: {scope}"
    return {"type": "authorization_error", "code": "forbidden", "message": message}


def sentence(error: exceptions.APIException) -> str:
    if isinstance(error, exceptions.NotAuthenticated):
        return KEY_MISSING
    return first_fault(error.detail)


def first_fault(detail: Any) -> str:
    """Of several faults the first one's sentence, led by its field unless it names it itself."""
    if isinstance(detail, dict):
        field, inner = next(iter(detail.items()), ("", "Invalid request"))
        said = first_fault(inner)
        return said if field == "non_field_errors" or field in said else f"{field}: {said}"
    if isinstance(detail, list):
        return first_fault(detail[0]) if detail else "Invalid request"
    return str(detail)
