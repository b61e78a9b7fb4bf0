"""LinkedIn accounts: the profiles that campaigns work with, by hand or by a provider. Keys stay here."""

from __future__ import annotations

from typing import Any

from django_filters import CharFilter, UUIDFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from outreach.linkedin.accounts import (
    create_linkedin_account,
    delete_linkedin_account,
    pause_linkedin_account,
    resume_linkedin_account,
    update_linkedin_account,
)
from outreach.linkedin.hooks import hook_url
from outreach.models import LinkedInAccount
from pipelime.accounts.models import User
from pipelime.api.http import WRITES
from pipelime.api.native.filters import AgeFilters, FlagFilter
from pipelime.api.native.inputs import Input, Nothing, RowField
from pipelime.api.native.references import UserRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Computed, Shaped
from pipelime.errors import NotAllowed

PROVIDER = ("provider", "provider_url", "provider_account")
KINDS = [choice for choice in LinkedInAccount.Provider.choices if choice[0]]


def provider(kind: str, url: str, account: str) -> dict[str, Any] | None:
    return {"kind": kind, "url": url, "account": account} if kind else None


class ProviderSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=KINDS)
    url = serializers.CharField()
    account = serializers.CharField()


class LinkedInAccountSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    profile_url = serializers.CharField()
    owner = UserRef(allow_null=True)
    daily_limit = serializers.IntegerField()
    time_zone = serializers.CharField(help_text="Empty: the account's.")
    provider = Computed(
        provider, *PROVIDER, kind=ProviderSerializer(allow_null=True, help_text="null: people do its steps.")
    )
    is_paused = Computed(bool, "paused_at", kind=serializers.BooleanField())
    pause_reason = serializers.CharField()
    paused_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ProviderInput(Input):
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    url = serializers.CharField(
        max_length=500, required=False, help_text="Such as https://api1.unipile.com:13111."
    )
    account = serializers.CharField(max_length=250, required=False, help_text="The account's id there.")
    key = serializers.CharField(max_length=1000, required=False, write_only=True)


class LinkedInChangesInput(Input):
    name = serializers.CharField(max_length=150, required=False)
    profile_url = serializers.CharField(max_length=500, required=False)
    daily_limit = serializers.IntegerField(required=False, help_text="Invitations and messages a day.")
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    owner_id = RowField(
        User.objects.active,
        "user",
        source="owner",
        required=False,
        allow_null=True,
        help_text="Whose tasks its steps become. Else of whoever connects it.",
    )
    provider = ProviderInput(
        required=False, allow_null=True, help_text="A key left out is kept; null: people do its steps."
    )


class LinkedInAccountInput(LinkedInChangesInput):
    name = serializers.CharField(max_length=150)
    profile_url = serializers.CharField(max_length=500)


class LinkedInPauseInput(Input):
    reason = serializers.CharField(max_length=500, required=False)


class HookSerializer(serializers.Serializer):
    url = serializers.CharField(help_text="What the provider calls. Whoever knows it may report answers.")


class LinkedInAccountFilter(AgeFilters):
    profile_url = CharFilter(field_name="profile_url", lookup_expr="iexact")
    owner = UUIDFilter(field_name="owner__uid")
    is_paused = FlagFilter(field_name="paused_at", lookup_expr="isnull", exclude=True)


class LinkedInAccountViewSet(Lists, Shows, NativeViewSet):
    """The LinkedIn profiles that campaigns invite and write from."""

    subject = "linkedin-accounts"
    what = "LinkedIn account"
    admin_methods = WRITES
    serializer_class = LinkedInAccountSerializer
    input_class = LinkedInAccountInput
    inputs = {"partial_update": LinkedInChangesInput, "pause": LinkedInPauseInput, "resume": Nothing}
    filterset_class = LinkedInAccountFilter
    orders = {"id": "id", "name": "name", "created_at": "created_at"}

    def get_queryset(self):
        return LinkedInAccount.objects.alive()

    def create(self, request):
        return self.created(create_linkedin_account(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        """Another provider, or none, replans what waits in it."""
        return self.answer(update_linkedin_account(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        """Nothing more is done with it and its key is forgotten; what was done stays on record."""
        delete_linkedin_account(self.row(), by=self.by)
        return gone()

    @action(detail=True, methods=["post"])
    def pause(self, request, id):
        """Plan and send nothing with it until it is resumed. Tasks that wait for people stay."""
        found = self.row()
        pause_linkedin_account(found, by=self.by, reason=self.body().get("reason", "paused by hand"))
        return self.answer(found)

    @action(detail=True, methods=["post"])
    def resume(self, request, id):
        found = self.row()
        self.body()
        resume_linkedin_account(found, by=self.by)
        return self.answer(found)

    @extend_schema(responses=HookSerializer)
    @action(detail=True, methods=["get"])
    def hook(self, request, id):
        """The address for the provider's webhooks of new messages and new relations. For administrators."""
        if not self.caller.is_admin:
            raise NotAllowed("Only administrators of the account may see it")
        return Response({"url": hook_url(self.row())})
