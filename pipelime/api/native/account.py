"""The account: its own settings."""

from __future__ import annotations

from django.conf import settings
from rest_framework import serializers

from pipelime.accounts.models import Account
from pipelime.accounts.settings import MOST_MAILS, update_account
from pipelime.api.http import WRITES
from pipelime.api.native.inputs import Input, ObjectField
from pipelime.api.native.resources import NativeViewSet
from pipelime.api.native.shapes import Shaped


class AccountSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    slug = serializers.CharField()
    plan = serializers.ChoiceField(choices=Account.Plan.choices)
    time_zone = serializers.CharField()
    locale = serializers.CharField()
    currency = serializers.CharField()
    postal_address = serializers.CharField()
    lead_visibility = serializers.ChoiceField(choices=Account.Visibility.choices)
    settings = ObjectField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def limit(granted: int, **about: str) -> serializers.IntegerField:
    """0 is what an installation without this limit grants."""
    return serializers.IntegerField(
        min_value=1, max_value=granted or 1_000_000, required=False, allow_null=True, **about
    )


class OwnLimitsInput(Input):
    """Requests: less than the installation grants, for more is the operator's to give. Mails: any number."""

    requests_per_minute = limit(settings.NATIVE_REQUESTS_PER_MINUTE)
    requests_per_day = limit(settings.PROPIPELINES_REQUESTS_PER_DAY, help_text="Of the Pro Pipe Lines API.")
    mails_a_day = limit(MOST_MAILS, help_text="Of all campaigns together, in the account's time zone.")
    mails_per_domain_a_day = limit(MOST_MAILS, help_text="To the recipients of one domain.")


class AccountInput(Input):
    name = serializers.CharField(max_length=250, required=False)
    time_zone = serializers.CharField(max_length=64, required=False, help_text="Such as Europe/Paris.")
    locale = serializers.CharField(max_length=10, required=False)
    currency = serializers.CharField(max_length=3, required=False)
    postal_address = serializers.CharField(
        required=False, allow_blank=True, help_text="Every mail of a campaign carries one."
    )
    lead_visibility = serializers.ChoiceField(choices=Account.Visibility.choices, required=False)
    settings = OwnLimitsInput(required=False, help_text="Laid over what is set; null takes a setting away.")


class AccountViewSet(NativeViewSet):
    """The account that the key or the session belongs to."""

    subject = "account"
    admin_methods = WRITES
    serializer_class = AccountSerializer
    input_class = AccountInput

    def get_queryset(self):
        return Account.objects.filter(pk=self.account.pk)

    def retrieve(self, request):
        return self.answer(self.account)

    def partial_update(self, request):
        return self.answer(update_account(self.account, by=self.by, **self.body()))
