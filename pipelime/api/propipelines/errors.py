"""The vendor's error body, {"error": 404, "message": "…", "type": "…"}, and its document's texts."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response

from pipelime.api.bodies import TooLarge
from pipelime.api.http import AccountSuspended, Conflict, InvalidValue, PlanLacks

NOT_FOUND = "Entry not found -- The specified object could not be found"
UNPROCESSABLE = "Unprocessable -- Unable to perform your request"
MISSING = "Missing required parameter"
NO_PRIVILEGES = "Unauthorized: the user has not the privileges to do this action."
UNASSIGNED = (
    "You cannot update the parameters status, step, starred, amount or probability "
    "without assigning the lead first."
)
KEY_NEEDED = (
    "Unauthorized: you cannot use this action with a USER token. "
    "You have to use the API key method to authenticate."
)


class Refused(exceptions.APIException):
    """A refusal in the document's own words."""

    def __init__(self, status: int, message: str, kind: str):
        super().__init__(message, code=kind)
        self.status_code = status


def not_recognized(parameter: str) -> Refused:
    return Refused(400, f"Parameter {parameter} not recognized.", "parameter_not_recognized")


def not_with_token(parameter: str) -> Refused:
    message = f"Parameter {parameter} should not be used with USER token."
    return Refused(400, message, "parameter_not_allowed")


def missing(parameter: str) -> Refused:
    return Refused(422, f"{MISSING}: {parameter}", "missing_parameter")


def unprocessable(message: object) -> Refused:
    return Refused(422, f"{UNPROCESSABLE}: {message}", "unprocessable")


def key_needed() -> Refused:
    return Refused(401, KEY_NEEDED, "not_api_key")


# What the domain's rules are called in the document: rule -> (message, type).
RULES: dict[str, tuple[str, str]] = {
    "unassigned": (
        UNASSIGNED,
        "lead_unassigned",
    ),
    "reminder_missing": (
        "Missing parameter: remind_at is required when status is changed to standby",
        "missing_remind_at",
    ),
    "reminder_format": (
        "Date format invalid for remind_date (YYYY-MM-DD) or remind_time (HH:MM)",
        "invalid_date_format",
    ),
    "amount_missing": ("A probability cannot be set without an amount", "probability_without_amount"),
    "status_unknown": ("Parameter status not recognized.", "parameter_not_recognized"),
}
# The first class that matches wins.
ANSWERS: list[tuple[type[exceptions.APIException], int, str, str]] = [
    (exceptions.NotAuthenticated, 401, "Unauthorized: api key missing", "unauthorized_missing_token"),
    (exceptions.AuthenticationFailed, 401, "Unauthorized: api key invalid", "unauthorized_invalid_token"),
    (AccountSuspended, 402, "Suspended account: pay your subscription to use the API.", "suspended_account"),
    (PlanLacks, 403, "Cannot access this feature.", "forbidden_feature"),
    (exceptions.PermissionDenied, 401, NO_PRIVILEGES, "unauthorized_privileges"),
    (exceptions.NotFound, 404, NOT_FOUND, "not_found"),
    (exceptions.MethodNotAllowed, 405, "Method not allowed", "method_not_allowed"),
    (exceptions.NotAcceptable, 406, "Answers are application/json only", "not_acceptable"),
    (exceptions.Throttled, 429, "Too many requests", "too_many_requests"),
]


def explain(error: exceptions.APIException) -> Response:
    if isinstance(error, Refused):
        return answer(error.status_code, str(error.detail), str(error.get_codes()))
    if isinstance(error, InvalidValue) and error.rule in RULES:
        return answer(400, *RULES[error.rule])
    for kind, status, message, code in ANSWERS:
        if isinstance(error, kind):
            return answer(status, message, disabled(error) or code)
    return explain_other(error)


def explain_other(error: exceptions.APIException) -> Response:
    match error:
        case Conflict():
            return answer(409, str(error.detail), "conflict", **existing(error))
        case TooLarge():
            return answer(413, str(error.detail), "payload_too_large")
        case exceptions.ParseError():
            return answer(400, str(error.detail), "invalid_json")
        case exceptions.UnsupportedMediaType():
            return answer(415, str(error.detail), "unsupported_media_type")
        case exceptions.ValidationError():
            return answer(422, f"{UNPROCESSABLE}: {first_fault(error.detail)}", "unprocessable")
    return answer(500, str(error.detail), "internal_error")


def answer(status: int, message: str, kind: str, **more: Any) -> Response:
    return Response({"error": status, "message": message, "type": kind, **more}, status=status)


def disabled(error: exceptions.APIException) -> str:
    return "unauthorized_disabled_token" if error.get_codes() == "key_disabled" else ""


def existing(error: Conflict) -> dict[str, Any]:
    return {"id": error.existing_number} if error.existing_number else {}


THEIR_NAMES = {"first_name": "firstname", "last_name": "lastname", "owner": "user_id", "columns": "content"}


def first_fault(detail: Any) -> str:
    """Of several faults the first one's sentence, led by its field where it needs one."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()), ("", "invalid request"))
        text = first_fault(inner)
        # A text of ours that is no whole sentence, such as "must be text", is about its field.
        shown = THEIR_NAMES.get(name, name)
        is_whole = not text[:1].islower() or name in text or shown in text
        return text if is_whole else f"{shown}: {text}"
    if isinstance(detail, list):
        return first_fault(detail[0]) if detail else "invalid request"
    return str(detail)
