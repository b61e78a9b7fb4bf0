"""The frame of every native resource: rights, parameters, pages, bodies. A resource adds rows and verbs.

class TagViewSet(Lists, Shows, NativeViewSet):
    subject = "contacts"                      # scopes contacts:read and contacts:write
    serializer_class = TagSerializer          # a Shaped: the answer
    input_class = TagInput                    # an Input: the body

    def get_queryset(self):
        return Tag.objects.all()

    def create(self, request):
        return self.created(create_tag(self.account, by=self.by, **self.body()))
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.http.response import HttpResponseBase, StreamingHttpResponse
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from pipelime.accounts.models import Account
from pipelime.api import idempotency, limits
from pipelime.api.bodies import JSONParser, JSONRenderer
from pipelime.api.callers import Caller, KeyInHeader, Session
from pipelime.api.http import DialectViewSet, streamed
from pipelime.api.native.errors import explain
from pipelime.api.native.filters import CheckedFilters
from pipelime.api.native.inputs import Input, Nothing, as_uuid, no_such, reader
from pipelime.api.native.pages import KeysetPagination
from pipelime.api.native.schema import NativeSchema
from pipelime.api.native.shapes import Shaped
from pipelime.errors import NotFound
from pipelime.search import documents


class NativeViewSet(DialectViewSet):
    """A view of the native API. Parameters that no action declares are refused by name."""

    authentication_classes = [KeyInHeader, Session]
    parser_classes = [JSONParser]
    pagination_class = KeysetPagination
    schema = NativeSchema()
    lookup_field = "uid"
    lookup_url_kwarg = "id"
    serializer_class: ClassVar[type[Shaped]]
    input_class: ClassVar[type[Input]] = Nothing
    inputs: ClassVar[dict[str, type[Input]]] = {}  # action -> its body, where it is not input_class
    parameters: ClassVar[dict[str, tuple[str, ...]]] = {}  # action -> the query parameters it takes
    # Actions that talk to other servers: no transaction waits for those, so nothing remembers the answers.
    talking: ClassVar[frozenset[str]] = frozenset()
    what: ClassVar[str] = ""  # what one row is called in messages; else the model's name
    action: str

    def explain(self, error: exceptions.APIException) -> Response:
        return explain(error)

    def quota(self, caller: Caller) -> limits.Quota | None:
        most = caller.account.settings.get("requests_per_minute", settings.NATIVE_REQUESTS_PER_MINUTE)
        return limits.spend(f"native:{caller.credential}", limit=most, seconds=60)

    def quota_headers(self, quota: limits.Quota) -> dict[str, str]:
        return quota.headers

    def initial(self, request, *args, **kwargs) -> None:
        super().initial(request, *args, **kwargs)
        if request.GET and self.action:  # without an action it is the method that is wrong
            self.refuse_unknown_parameters()

    def refuse_unknown_parameters(self) -> None:
        known = self.known_parameters()
        if unknown := [name for name in self.request.query_params if name not in known]:
            faults = {name: [no_such("parameter", name, known)] for name in unknown}
            raise exceptions.ValidationError(faults)

    def known_parameters(self) -> list[str]:
        return list(self.parameters.get(self.action or "", ()))

    def perform(self, handler: Any) -> HttpResponseBase:
        """A POST with an Idempotency-Key happens once, however often it is sent."""
        key = self.request.headers.get("Idempotency-Key")
        if key is None or self.request.method != "POST" or self.is_public or self.action in self.talking:
            return super().perform(handler)
        return idempotency.once(key, self.request, self.caller, lambda: self.settled(handler))

    def settled(self, handler: Any) -> HttpResponseBase:
        """The answer, refusals included: those are remembered too."""
        try:
            with transaction.atomic():  # a refusal undoes what came before it
                return super().perform(handler)
        except Exception as error:  # noqa: BLE001  answered in our words, as without a key
            return self.handle_exception(error)

    @property
    def account(self) -> Account:
        return self.caller.account

    @property
    def by(self) -> Any:
        return self.caller.by

    def body(self, serializer: type[serializers.Serializer] | None = None) -> dict[str, Any]:
        """The checked body; of a PATCH, only what was sent."""
        kind = serializer or self.inputs.get(self.action, self.input_class)
        return dict(reader(kind, partial=self.request.method == "PATCH").run_validation(self.request.data))

    def row(self, queryset: models.QuerySet | None = None) -> Any:
        """The row that the path names; a foreign one looks missing."""
        found = self.named(self.get_queryset() if queryset is None else queryset).first()
        if found is None:
            raise self.missing()
        return found

    def named(self, queryset: models.QuerySet) -> models.QuerySet:
        uid = as_uuid(self.kwargs["id"])
        return queryset.filter(uid=uid) if uid else queryset.none()

    def missing(self) -> NotFound:
        name = self.what or self.get_queryset().model._meta.verbose_name
        return NotFound(f"{name[0].upper()}{name[1:]} not found")

    def answer(self, row: models.Model, status: int = 200) -> Response:
        """One row as this resource shows it, read anew: a verb may have changed more than it returned."""
        return Response(self.serializer_class().to_representation(row), status=status)

    def created(self, row: models.Model) -> Response:
        return self.answer(row, 201)


class Shows:
    """GET /…/{id}."""

    def retrieve(self, request, id: str) -> Response:
        found = self.serializer_class.rows(self.named(self.get_queryset()))
        if not found:
            raise self.missing()
        return Response(found[0])


class Lists:
    """GET /…: a keyset page, narrowed by the resource's filters and search."""

    filterset_class: ClassVar[type[CheckedFilters] | None] = None
    orders: ClassVar[dict[str, str]] = {"id": "id"}  # name -> column; ids grow with time
    default_order: ClassVar[str] = "-id"
    search_kind: ClassVar[str] = ""

    def known_parameters(self) -> list[str]:
        if self.action != "list":
            return super().known_parameters()
        filters = self.filterset_class.base_filters if self.filterset_class else ()
        search = ("search",) if self.search_kind else ()
        own = self.parameters.get("list", ())
        return [*KeysetPagination.PARAMETERS, *search, *filters, *own]

    def list(self, request) -> Response:
        return Response(self.paginator.answer(self.narrowed(self.get_queryset()), self))

    def narrowed(self, rows: models.QuerySet) -> models.QuerySet:
        given = self.request.query_params
        if self.filterset_class and any(name in given for name in self.filterset_class.base_filters):
            rows = self.filterset_class(given, rows).narrowed()
        words = given.get("search", "").strip()
        if words and self.search_kind:
            rows = rows.filter(pk__in=documents.find(self.search_kind, words))
        return rows


class Unknown(NativeViewSet):
    """What any path answers that nothing else does."""

    is_public = True
    schema = None

    def nothing(self, request, path: str = "") -> Response:
        raise NotFound(f"There is nothing at {request.path}; /api/docs lists what there is")


def gone() -> Response:
    return Response(status=204)


class Downloads:
    """A view whose answers are files: whatever the caller accepts, refusals are JSON."""

    def perform_content_negotiation(self, request, force: bool = False):
        return JSONRenderer(), JSONRenderer.media_type

    def file(self, chunks: Iterable[bytes], name: str, content_type: str) -> StreamingHttpResponse:
        answer = StreamingHttpResponse(streamed(self.caller.account, chunks), content_type=content_type)
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["Cache-Control"] = "no-store"
        return answer
