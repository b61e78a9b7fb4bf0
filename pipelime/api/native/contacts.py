"""Contacts: people with their addresses, company, tags and custom fields."""

from __future__ import annotations

from typing import Any

from django_filters import CharFilter, UUIDFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from crm.contacts import create_contact, delete_contact, update_contact
from crm.importing.jobs import start_import
from crm.importing.values import email_key
from crm.models import Company, Contact
from pipelime.accounts.models import User
from pipelime.api.bodies import UploadParser
from pipelime.api.native.filters import AgeFilters, WordsFilter
from pipelime.api.native.imports import ImportSerializer, UploadInput
from pipelime.api.native.inputs import Input, ObjectField, RowField, as_uuid
from pipelime.api.native.references import CompanyRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Computed, Names, Shaped


class AddressSerializer(Shaped):
    address = serializers.CharField()
    label = serializers.CharField()
    is_primary = serializers.BooleanField()


class ContactSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    email = Computed(kind=serializers.EmailField(allow_null=True))
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    company = CompanyRef(allow_null=True)
    job_title = serializers.CharField()
    phone = serializers.CharField()
    linkedin_url = serializers.CharField()
    location = serializers.CharField()
    time_zone = serializers.CharField(help_text="Such as Europe/Paris; empty when it is not known.")
    emails = AddressSerializer(many=True)
    tags = Names()
    custom_fields = ObjectField()
    status = serializers.ChoiceField(choices=Contact.Status.choices)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @staticmethod
    def complete(row: dict[str, Any]) -> None:
        row["email"] = row["emails"][0]["address"] if row["emails"] else None


class CompanyField(serializers.Field):
    """A company by its id, or by a name that is found or made, or null."""

    def to_internal_value(self, data: Any) -> Company | str:
        if not isinstance(data, str):
            raise serializers.ValidationError("takes a company's name, its id, or null")
        uid = as_uuid(data)
        if uid is None:
            return data
        company = Company.objects.alive().filter(uid=uid).first()
        if company is None:
            raise serializers.ValidationError(f"There is no company with the id {data!r}")
        return company


class AddressInput(Input):
    address = serializers.CharField(max_length=254)
    label = serializers.CharField(max_length=50, required=False, allow_blank=True)
    is_primary = serializers.BooleanField(required=False)


class ContactInput(Input):
    email = serializers.CharField(required=False, allow_null=True, help_text="The primary address.")
    emails = AddressInput(many=True, required=False)
    first_name = serializers.CharField(required=False, allow_blank=True)
    last_name = serializers.CharField(required=False, allow_blank=True)
    company = CompanyField(required=False, allow_null=True)
    job_title = serializers.CharField(required=False, allow_blank=True)
    phone = serializers.CharField(required=False, allow_blank=True)
    linkedin_url = serializers.CharField(required=False, allow_blank=True)
    location = serializers.CharField(required=False, allow_blank=True)
    time_zone = serializers.CharField(
        required=False, allow_blank=True, help_text="Campaigns may keep to its hours."
    )
    tags = serializers.ListField(child=serializers.CharField(max_length=100), required=False)
    custom_fields = ObjectField(required=False)
    owner = RowField(User.objects.active, "user", required=False, allow_null=True)


class ContactFilter(AgeFilters):
    email = CharFilter(method="with_address", label="Any of a contact's addresses.")
    company = UUIDFilter(field_name="company__uid")
    tag = CharFilter(method="with_tag", label="A tag's name.")
    status = WordsFilter(field_name="status")
    owner = UUIDFilter(field_name="owner__uid")

    def with_address(self, rows, name, value):
        return rows.with_address(email_key(value))

    def with_tag(self, rows, name, value):
        return rows.filter(tags__name_key=value.casefold())


class ContactViewSet(Lists, Shows, NativeViewSet):
    """People. An address belongs to one contact of the account only."""

    subject = "contacts"
    serializer_class = ContactSerializer
    input_class = ContactInput
    inputs = {"upload": UploadInput}
    filterset_class = ContactFilter
    search_kind = "contact"
    orders = {"id": "id", "created_at": "created_at", "updated_at": "updated_at", "last_name": "last_name"}

    def get_queryset(self):
        return Contact.objects.alive()

    def create(self, request):
        return self.created(create_contact(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        return self.answer(update_contact(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_contact(self.row(), by=self.by)
        return gone()

    @extend_schema(operation_id="contacts_import", responses={202: ImportSerializer})
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[UploadParser])
    def upload(self, request):
        """Import a file. The answer comes at once; GET /api/imports/{id} tells how it goes."""
        job = start_import(self.account, by=self.by, **self.body())
        return Response(ImportSerializer().to_representation(job), status=202)
