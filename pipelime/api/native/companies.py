"""Companies: organisations that contacts work for and leads are filed under."""

from __future__ import annotations

from django_filters import CharFilter, UUIDFilter
from rest_framework import serializers

from crm.companies import create_company, update_company
from crm.models import Company
from pipelime.accounts.models import User
from pipelime.api.native.filters import AgeFilters, FlagFilter
from pipelime.api.native.inputs import Input, ObjectField, RowField
from pipelime.api.native.references import UserRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows
from pipelime.api.native.shapes import Shaped


class CompanySerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    domain = serializers.CharField()
    description = serializers.CharField()
    is_client = serializers.BooleanField()
    is_active = serializers.BooleanField()
    owner = UserRef(allow_null=True)
    custom_fields = ObjectField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CompanyInput(Input):
    name = serializers.CharField(max_length=250)
    domain = serializers.CharField(max_length=253, required=False, allow_blank=True)
    description = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    is_client = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)
    owner = RowField(User.objects.active, "user", required=False, allow_null=True)
    custom_fields = ObjectField(required=False)


class CompanyFilter(AgeFilters):
    name = CharFilter(method="with_name", label="The whole name, whatever its case.")
    domain = CharFilter(field_name="domain")
    is_client = FlagFilter(field_name="is_client")
    is_active = FlagFilter(field_name="is_active")
    owner = UUIDFilter(field_name="owner__uid")

    def with_name(self, rows, name, value):
        return rows.filter(name_key=Company.key_of(value))


class CompanyViewSet(Lists, Shows, NativeViewSet):
    """Organisations. `is_client` marks one that leads are filed under."""

    subject = "companies"
    serializer_class = CompanySerializer
    input_class = CompanyInput
    filterset_class = CompanyFilter
    search_kind = "company"
    orders = {"id": "id", "name": "name_key", "created_at": "created_at", "updated_at": "updated_at"}

    def get_queryset(self):
        return Company.objects.alive()

    def create(self, request):
        return self.created(create_company(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        return self.answer(update_company(self.row(), by=self.by, **self.body()))
