"""Sending domains: what the DNS says of the domains that mailboxes send from, and signing mail for them."""

from __future__ import annotations

from django_filters import CharFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from outreach.deliverability.domains import dkim_name, dkim_record, look, make_key, update_domain
from outreach.models import SendingDomain
from pipelime.api.http import WRITES
from pipelime.api.native.filters import AgeFilters
from pipelime.api.native.inputs import Input, Nothing
from pipelime.api.native.resources import Lists, NativeViewSet, Shows
from pipelime.api.native.shapes import Computed, Shaped

CHECKS = ("spf", "dmarc", "mx", "dkim")
LEVELS = ("ok", "warning", "problem")


class FindingSerializer(serializers.Serializer):
    """`advice` says what to publish; it is empty where all is well."""

    check = serializers.ChoiceField(choices=CHECKS)
    level = serializers.ChoiceField(choices=LEVELS)
    found = serializers.CharField()
    advice = serializers.CharField()


class SendingDomainSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    findings = Computed(list, "findings", kind=serializers.ListField(child=FindingSerializer()))
    checked_at = serializers.DateTimeField(allow_null=True)
    dkim_selector = serializers.CharField()
    signs = serializers.BooleanField(help_text="Mail is signed here, with a key of our own.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class DkimRecordSerializer(serializers.Serializer):
    """The TXT record to publish; the private key stays here."""

    name = serializers.CharField()
    type = serializers.CharField()
    value = serializers.CharField()


class SendingDomainInput(Input):
    dkim_selector = serializers.CharField(
        required=False, allow_blank=True, max_length=63, help_text="Empty: the usual ones are tried."
    )
    signs = serializers.BooleanField(required=False)


class SendingDomainFilter(AgeFilters):
    name = CharFilter(field_name="name", lookup_expr="iexact")


class SendingDomainViewSet(Lists, Shows, NativeViewSet):
    """One for each domain that mailboxes send from; they appear by themselves."""

    subject = "email-accounts"
    what = "sending domain"
    admin_methods = WRITES
    serializer_class = SendingDomainSerializer
    input_class = SendingDomainInput
    inputs = {"check": Nothing, "dkim_key": Nothing}
    filterset_class = SendingDomainFilter
    orders = {"id": "id", "name": "name", "created_at": "created_at"}
    talking = frozenset({"check"})

    def get_queryset(self):
        return SendingDomain.objects.all()

    def partial_update(self, request, id):
        """Signing is turned on once the key's record is published."""
        return self.answer(update_domain(self.row(), by=self.by, **self.body()))

    @action(detail=True, methods=["post"])
    def check(self, request, id):
        """Ask the DNS now; it is asked once a day anyway."""
        found = self.row()
        self.body()
        return self.answer(look(found))

    @extend_schema(responses=DkimRecordSerializer)
    @action(detail=True, methods=["post"], url_path="dkim-key")
    def dkim_key(self, request, id):
        """Make a new 2048-bit key. Publish the record, then turn signing on; until then nothing is signed."""
        found = self.row()
        self.body()
        domain = make_key(found, by=self.by)
        return Response({"name": dkim_name(domain), "type": "TXT", "value": dkim_record(domain)})
