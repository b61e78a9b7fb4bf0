"""Custom fields, by their definitions."""

from __future__ import annotations

from django_filters import ChoiceFilter
from rest_framework import serializers

from crm.fields import create_field, delete_field, update_field
from crm.models import Field
from pipelime.api.http import WRITES
from pipelime.api.native.filters import CheckedFilters
from pipelime.api.native.inputs import Input
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Shaped


class FieldSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    kind = serializers.ChoiceField(choices=Field.Kind.choices)
    name = serializers.CharField()
    key = serializers.CharField()
    type = serializers.ChoiceField(choices=Field.Type.choices)
    meaning = serializers.CharField()
    is_key = serializers.BooleanField()
    position = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class FieldInput(Input):
    name = serializers.CharField(max_length=100)
    type = serializers.ChoiceField(choices=Field.Type.choices, required=False)
    meaning = serializers.ChoiceField(choices=Field.Meaning.choices, required=False, allow_blank=True)
    is_key = serializers.BooleanField(required=False, help_text="Whether equal values mark duplicates.")
    position = serializers.IntegerField(min_value=1, max_value=10_000, required=False)


class NewFieldInput(Input):
    kind = serializers.ChoiceField(choices=Field.Kind.choices)
    name = serializers.CharField(max_length=100)
    key = serializers.CharField(max_length=60, required=False, help_text="Made from the name if left out.")
    type = serializers.ChoiceField(
        choices=Field.Type.choices, required=False, help_text="Follows from the meaning if left out."
    )
    meaning = serializers.ChoiceField(
        choices=Field.Meaning.choices,
        required=False,
        allow_blank=True,
        help_text="What it stands for, whatever it is called.",
    )
    is_key = serializers.BooleanField(required=False)


class FieldFilter(CheckedFilters):
    kind = ChoiceFilter(choices=Field.Kind.choices)
    meaning = ChoiceFilter(choices=Field.Meaning.choices)


class FieldViewSet(Lists, Shows, NativeViewSet):
    """Definitions of custom fields; records hold their values under `custom_fields` by key."""

    subject = "fields"
    admin_methods = WRITES
    serializer_class = FieldSerializer
    input_class = FieldInput
    inputs = {"create": NewFieldInput}
    filterset_class = FieldFilter
    orders = {"id": "id", "position": "position", "name": "name"}
    default_order = "id"

    def get_queryset(self):
        return Field.objects.all()

    def create(self, request):
        return self.created(create_field(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        return self.answer(update_field(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_field(self.row(), by=self.by)
        return gone()
