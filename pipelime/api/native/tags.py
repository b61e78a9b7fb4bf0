"""Tags in use, predefined tags, and the categories of these."""

from __future__ import annotations

from django_filters import UUIDFilter
from rest_framework import serializers

from crm.models import Tag, TagCategory
from crm.tags import (
    create_category,
    create_predefined_tag,
    delete_category,
    delete_tag,
    update_category,
    update_tag,
)
from pipelime.api.http import WRITES
from pipelime.api.native.filters import CheckedFilters, FlagFilter
from pipelime.api.native.inputs import Input, RowField
from pipelime.api.native.references import NamedRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Names, Shaped


class TagSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    category = NamedRef(allow_null=True)
    position = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class NewTagInput(Input):
    name = serializers.CharField(max_length=100)
    category = RowField(TagCategory.objects.all, "tag category")
    position = serializers.IntegerField(min_value=1, max_value=10_000, required=False)


class TagInput(Input):
    name = serializers.CharField(max_length=100)
    category = RowField(TagCategory.objects.all, "tag category")
    position = serializers.IntegerField(min_value=1, max_value=10_000, allow_null=True)


class TagFilter(CheckedFilters):
    category = UUIDFilter(field_name="category__uid")
    is_predefined = FlagFilter(field_name="category", lookup_expr="isnull", exclude=True)


class TagViewSet(Lists, Shows, NativeViewSet):
    """Free tags are made by using them on a record; a predefined one is made here, in a category."""

    subject = "fields"
    admin_methods = WRITES
    serializer_class = TagSerializer
    input_class = TagInput
    inputs = {"create": NewTagInput}
    filterset_class = TagFilter
    orders = {"id": "id", "name": "name_key", "position": "position"}
    default_order = "name"

    def get_queryset(self):
        return Tag.objects.all()

    def create(self, request):
        """A free tag of that name, if there is one, joins the category."""
        return self.created(create_predefined_tag(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        return self.answer(update_tag(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        """Takes it off every record, too."""
        delete_tag(self.row(), by=self.by)
        return gone()


class TagCategorySerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    is_required = serializers.BooleanField()
    position = serializers.IntegerField(allow_null=True)
    tags = Names()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class TagCategoryInput(Input):
    name = serializers.CharField(max_length=100)
    is_required = serializers.BooleanField(required=False, help_text="Whether people must choose one.")
    position = serializers.IntegerField(min_value=1, max_value=10_000, required=False, allow_null=True)


class TagCategoryViewSet(Lists, Shows, NativeViewSet):
    """Questions that predefined tags answer."""

    subject = "fields"
    admin_methods = WRITES
    serializer_class = TagCategorySerializer
    input_class = TagCategoryInput
    orders = {"id": "id", "name": "name", "position": "position"}
    default_order = "id"

    def get_queryset(self):
        return TagCategory.objects.all()

    def create(self, request):
        return self.created(create_category(self.account, by=self.by, **self.body()))

    def partial_update(self, request, id):
        return self.answer(update_category(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_category(self.row(), by=self.by)
        return gone()
