"""What the dialects share: nothing of their words, only the order of the work and the scope around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any, ClassVar

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import OperationalError
from django.http import Http404, UnreadablePostError
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from pipelime import errors
from pipelime.accounts.keys import note_use
from pipelime.accounts.models import Account
from pipelime.api.bodies import TooLarge
from pipelime.api.callers import Caller
from pipelime.api.limits import Quota
from pipelime.scope import account_scope

log = structlog.get_logger(__name__)

READS = frozenset({"GET", "HEAD"})
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class DialectViewSet(GenericViewSet):
    """A view of one account's rows. Authentication decides the account; nothing else may.

    A dialect subclasses it once, with its authentication, its `explain` and, if it has one, its limit.
    """

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    subject: ClassVar[str] = ""  # what scopes call these rows: "contacts" needs contacts:read or :write
    admin_methods: ClassVar[frozenset[str]] = frozenset()  # methods that only administrators may use
    is_public: ClassVar[bool] = False  # answers without knowing who asks, and without a scope
    caller: Caller
    used: Quota | None = None

    def explain(self, error: exceptions.APIException) -> Response:
        """Answer `error` in the words of the dialect."""
        return Response({"detail": error.detail}, status=error.status_code)

    def quota(self, caller: Caller) -> Quota | None:
        """Count this request. A dialect with a limit says which."""
        return None

    def quota_headers(self, quota: Quota) -> dict[str, str]:
        """How the dialect tells what is left."""
        return {}

    def needed_scopes(self) -> list[str]:
        right = "read" if self.request.method in READS else "write"
        return [f"{self.subject}:{right}"]

    def perform(self, handler: Any) -> HttpResponseBase:
        """Run the handler; a dialect may wrap it."""
        return handler(self.request, *self.args, **self.kwargs)

    def dispatch(self, request, *args, **kwargs) -> HttpResponseBase:
        self.args, self.kwargs = args, kwargs
        self.headers = self.default_response_headers
        self.request = self.initialize_request(request, *args, **kwargs)
        with ExitStack() as self.scope:  # opened by initial(), closed here whatever happens
            try:
                self.initial(self.request, *args, **kwargs)
                answer = self.perform(self.handler())
            except Exception as error:  # noqa: BLE001  every error is answered in the dialect's words
                answer = self.handle_exception(error)
            self.response = self.finalize_response(self.request, answer, *args, **kwargs)
            if self.used is not None:
                for name, value in self.quota_headers(self.used).items():
                    self.response[name] = value
            return self.response.render() if hasattr(self.response, "render") else self.response

    def handler(self) -> Any:
        method = self.request.method.lower()
        if method not in self.http_method_names:
            return self.http_method_not_allowed
        return getattr(self, method, self.http_method_not_allowed)

    def initial(self, request, *args, **kwargs) -> None:
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        if self.is_public:
            return
        if request.auth is None:
            raise exceptions.NotAuthenticated
        self.caller = request.auth
        self.scope.enter_context(account_scope(self.caller.account))
        self.used = self.quota(self.caller)
        if self.used is not None and self.used.exceeded:
            raise exceptions.Throttled(wait=self.used.retry_after)
        if self.caller.account.is_suspended:
            raise errors.Suspended("This account is suspended")
        self.check_rights(self.caller)
        if self.caller.key is not None:
            note_use(self.caller.key)

    def check_rights(self, caller: Caller) -> None:
        for scope in self.needed_scopes():
            if not caller.may(scope):
                given = ", ".join(caller.scopes)
                raise errors.NotAllowed(f"This needs the scope {scope}; the key has {given}")
        if self.request.method in self.admin_methods and not caller.is_admin:
            raise errors.NotAllowed("Only administrators of the account may do this")

    def handle_exception(self, exc: Exception) -> Response:
        error = as_api_exception(exc)
        if not isinstance(error, exceptions.APIException):
            request = self.request._request  # noqa: SLF001
            log.error("api.uncaught", path=request.path, method=request.method, exc_info=exc)
            error = fault_of_ours(exc)
        response = self.explain(error)
        if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
            response["WWW-Authenticate"] = self.get_authenticate_header(self.request) or "Bearer"
        if isinstance(error, exceptions.Throttled) and self.used is not None:
            response["Retry-After"] = str(self.used.retry_after)
        response.exception = True
        return response

    # drf-spectacular and DRF's router ask these of a view; filtering is each dialect's own.
    def filter_queryset(self, queryset):
        return queryset


class Conflict(exceptions.APIException):
    status_code = 409
    default_code = "conflict"

    def __init__(self, detail: str, *, existing: str | None = None, number: int | None = None):
        super().__init__(detail)
        self.existing = existing
        self.existing_number = number


class Unavailable(exceptions.APIException):
    """The database is away or full, or gave up on this transaction: the same request may succeed later."""

    status_code = 503
    default_detail = "The database cannot serve this request now; try again in a moment"


class InvalidValue(exceptions.ValidationError):
    """`rule` names the rule of the domain, for dialects that have words of their own for it."""

    def __init__(self, detail, *, rule: str = ""):
        super().__init__(detail)
        self.rule = rule


class PlanLacks(exceptions.PermissionDenied):
    """The account's plan does not include this."""


class AccountSuspended(exceptions.APIException):
    status_code = 403
    default_code = "suspended"


# The domain's errors, each as the API exception that every dialect can translate. The first match wins.
DOMAIN: list[tuple[type[errors.PipelimeError], Callable[[Any], exceptions.APIException]]] = [
    (errors.NotFound, lambda error: exceptions.NotFound(str(error) or None)),
    (errors.NotIncluded, lambda error: PlanLacks(str(error) or None)),
    (errors.NotAllowed, lambda error: exceptions.PermissionDenied(str(error) or None)),
    (errors.Suspended, lambda error: AccountSuspended(str(error) or None)),
    (
        errors.Invalid,
        lambda error: InvalidValue(error.fields or {"non_field_errors": [str(error)]}, rule=error.rule),
    ),
    (errors.Conflict, lambda error: Conflict(str(error), existing=error.existing, number=error.number)),
]


def as_api_exception(error: Exception) -> Exception:
    """The domain's errors and Django's, as one family."""
    for kind, translated in DOMAIN:
        if isinstance(error, kind):
            return translated(error)
    return django_as_api_exception(error)


def fault_of_ours(error: Exception) -> exceptions.APIException:
    if isinstance(error, OperationalError):
        return Unavailable()
    return exceptions.APIException("Something broke on our side, and was logged as X-Request-Id says")


def django_as_api_exception(error: Exception) -> Exception:
    match error:
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case RequestDataTooBig():
            return TooLarge(str(error))
        case SuspiciousOperation() | UnreadablePostError():
            return exceptions.ParseError(str(error))
        case ModelValidationError():
            messages = getattr(error, "message_dict", None) or {"non_field_errors": error.messages}
            return exceptions.ValidationError(messages)
    return error


def streamed(account: Account, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A body made while it is sent, after the request's scope has closed: each chunk opens its own."""
    source = iter(chunks)
    while True:
        with account_scope(account):
            chunk = next(source, None)
        if chunk is None:
            return
        yield chunk
