"""API keys: what programs show. A key can give away no more than it holds."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from pipelime.accounts.keys import create_key, disable_key, enable_key, revoke_key
from pipelime.accounts.models import ApiKey
from pipelime.api.http import READS, WRITES
from pipelime.api.native.filters import CheckedFilters, FlagFilter
from pipelime.api.native.inputs import Input, Nothing
from pipelime.api.native.references import UserRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Computed, Shaped
from pipelime.errors import NotAllowed


def prefix(lookup: str) -> str:
    return ApiKey(lookup=lookup).prefix


class KeySerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    prefix = Computed(prefix, "lookup", kind=serializers.CharField(help_text="How the key begins."))
    scopes = serializers.ListField(child=serializers.CharField())
    is_disabled = Computed(bool, "disabled_at", kind=serializers.BooleanField())
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    created_by = UserRef(allow_null=True)
    created_at = serializers.DateTimeField()


class KeyWithText(KeySerializer):
    key = Computed(kind=serializers.CharField(help_text="The key itself, shown now and never again."))


class NewKeyInput(Input):
    name = serializers.CharField(max_length=150)
    scopes = serializers.ListField(
        child=serializers.CharField(),
        allow_empty=False,
        max_length=100,
        help_text='Such as "contacts:read", "contacts:*", or "*" for everything.',
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class KeyInput(Input):
    is_disabled = serializers.BooleanField()


class KeyFilter(CheckedFilters):
    is_disabled = FlagFilter(field_name="disabled_at", lookup_expr="isnull", exclude=True)


class KeyViewSet(Lists, Shows, NativeViewSet):
    """Keys of programs. Disabling or revoking one disables the webhooks that it made."""

    subject = "api-keys"
    admin_methods = READS | WRITES
    serializer_class = KeySerializer
    input_class = KeyInput
    inputs = {"create": NewKeyInput, "disable": Nothing, "enable": Nothing}
    filterset_class = KeyFilter
    orders = {"id": "id", "name": "name", "created_at": "created_at", "last_used_at": "last_used_at"}

    def get_queryset(self):
        return ApiKey.objects.all()

    @extend_schema(responses={201: KeyWithText})
    def create(self, request):
        """The answer holds the key, this once."""
        facts = self.body()
        self.refuse_more_than_own(facts["scopes"])
        key, raw = create_key(self.account, by=self.by, **facts)
        shown: dict[str, Any] = KeySerializer().to_representation(key)
        return Response({**shown, "key": raw}, status=201)

    def refuse_more_than_own(self, scopes: list[str]) -> None:
        if more := [scope for scope in scopes if not self.caller.may(scope)]:
            own = ", ".join(self.caller.scopes)
            raise NotAllowed(f"A key can give only what it holds: {more[0]} is not within {own}")

    def partial_update(self, request, id):
        """Disable the key, or enable it again."""
        found, wanted = self.row(), self.body()
        return self.switched(found, wanted.get("is_disabled", found.disabled_at is not None))

    def destroy(self, request, id):
        """The next request with it is refused."""
        revoke_key(self.row(), by=self.by)
        return gone()

    @action(detail=True, methods=["post"])
    def disable(self, request, id):
        found = self.row()
        self.body()
        return self.switched(found, True)

    @action(detail=True, methods=["post"])
    def enable(self, request, id):
        found = self.row()
        self.body()
        return self.switched(found, False)

    def switched(self, key: ApiKey, is_disabled: bool) -> Response:
        (disable_key if is_disabled else enable_key)(key, by=self.by)
        return self.answer(key)
