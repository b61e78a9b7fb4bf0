"""Kinds of activities, such as calls and meetings, and the outcomes that each may have."""

from __future__ import annotations

from django_filters import UUIDFilter
from rest_framework import serializers

from crm.activities import create_activity_type, delete_activity_type, update_activity_type
from crm.models import ActivityType
from pipelime.api.http import WRITES
from pipelime.api.native.filters import CheckedFilters, FlagFilter, WordsFilter
from pipelime.api.native.inputs import Input, RowField
from pipelime.api.native.references import NamedRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Shaped


class ActivityTypeSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=ActivityType.Kind.choices)
    parent = NamedRef(allow_null=True)
    icon = serializers.CharField()
    color = serializers.CharField()
    position = serializers.IntegerField(allow_null=True)
    is_disabled = serializers.BooleanField()
    outcomes = NamedRef(many=True)
    created_at = serializers.DateTimeField()


class ActivityTypeInput(Input):
    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(choices=ActivityType.Kind.choices, required=False)
    icon = serializers.CharField(max_length=40, required=False, allow_blank=True)
    color = serializers.CharField(max_length=20, required=False, allow_blank=True)


class NewActivityTypeInput(ActivityTypeInput):
    parent = RowField(
        lambda: ActivityType.objects.filter(parent=None),
        "activity type",
        required=False,
        allow_null=True,
        help_text="Makes this one an outcome of that type.",
    )


class ChangedActivityTypeInput(ActivityTypeInput):
    position = serializers.IntegerField(min_value=1, max_value=10_000, allow_null=True)
    is_disabled = serializers.BooleanField()


class ActivityTypeFilter(CheckedFilters):
    kind = WordsFilter(field_name="kind")
    parent = UUIDFilter(field_name="parent__uid")
    is_outcome = FlagFilter(field_name="parent", lookup_expr="isnull", exclude=True)
    is_disabled = FlagFilter(field_name="is_disabled")


class ActivityTypeViewSet(Lists, Shows, NativeViewSet):
    """What people do with leads. An outcome is a type of its own with a `parent`."""

    subject = "fields"
    admin_methods = WRITES
    serializer_class = ActivityTypeSerializer
    input_class = ChangedActivityTypeInput
    inputs = {"create": NewActivityTypeInput}
    filterset_class = ActivityTypeFilter
    orders = {"id": "id", "name": "name", "position": "position"}
    default_order = "id"

    def get_queryset(self):
        return ActivityType.objects.all()

    def create(self, request):
        return self.created(create_activity_type(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        return self.answer(update_activity_type(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_activity_type(self.row(), by=self.by)
        return gone()
