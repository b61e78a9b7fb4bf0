"""The vendor's error body: {"statusCode": 400, "message": "a sentence", "error": "Bad Request"}."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response

from pipelime.api.bodies import TooLarge
from pipelime.api.http import AccountSuspended, Conflict

KEY_MISSING = "API key is required. Send it in the X-API-Key header"
# The first class that matches wins. A conflict is a bad request: the document knows no 409.
STATUSES: list[tuple[type[exceptions.APIException], int]] = [
    (exceptions.NotAuthenticated, 401),
    (exceptions.AuthenticationFailed, 401),
    (AccountSuspended, 403),
    (exceptions.PermissionDenied, 403),
    (exceptions.NotFound, 404),
    (exceptions.MethodNotAllowed, 405),
    (exceptions.NotAcceptable, 406),
    (Conflict, 400),
    (TooLarge, 413),
    (exceptions.UnsupportedMediaType, 415),
    (exceptions.ParseError, 400),
    (exceptions.ValidationError, 400),
    (exceptions.Throttled, 429),
]


def explain(error: exceptions.APIException) -> Response:
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    body = {"statusCode": status, "message": sentence(error), "error": HTTPStatus(status).phrase}
    return Response(body, status=status)


def sentence(error: exceptions.APIException) -> str:
    return KEY_MISSING if isinstance(error, exceptions.NotAuthenticated) else first_fault(error.detail)


def first_fault(detail: Any) -> str:
    """Of several faults the first one's sentence, led by its field unless it names it itself."""
    if isinstance(detail, dict):
        field, inner = next(iter(detail.items()), ("", "Validation failed"))
        said = first_fault(inner)
        return said if field == "non_field_errors" or field in said else f"{field}: {said}"
    if isinstance(detail, list):
        return first_fault(detail[0]) if detail else "Validation failed"
    return str(detail)
