"""Prospecting lists: sheets of people and companies to try, and their rows."""

from __future__ import annotations

from typing import Any

from django_filters import CharFilter, UUIDFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from crm.models import Prospect, ProspectingList
from crm.prospecting import add_prospects, assign_list, create_list, delete_list, update_list
from pipelime.accounts.models import User
from pipelime.api.native.comments import CommentInput, CommentSerializer, comments_on
from pipelime.api.native.filters import AgeFilters, FlagFilter
from pipelime.api.native.inputs import Input, RowField, RowsField
from pipelime.api.native.pages import KeysetPagination
from pipelime.api.native.prospects import ProspectSerializer
from pipelime.api.native.references import UserRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Computed, Names, Shaped
from pipelime.api.native.visibility import lists_of


class ProspectingListSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    title = serializers.CharField()
    description = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    owner = UserRef(allow_null=True)
    privacy = serializers.ChoiceField(choices=ProspectingList.Privacy.choices)
    tags = Names()
    row_count = serializers.IntegerField()
    comment_count = serializers.IntegerField()
    is_archived = Computed(bool, "archived_at", kind=serializers.BooleanField())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ListInput(Input):
    title = serializers.CharField(max_length=250)
    description = serializers.CharField(required=False, allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=100), required=False)
    privacy = serializers.ChoiceField(choices=ProspectingList.Privacy.choices, required=False)
    owner = RowField(User.objects.active, "user", required=False, allow_null=True)


class NewListInput(ListInput):
    columns = serializers.ListField(child=serializers.CharField(allow_blank=True), help_text="Their names.")
    rows = RowsField(required=False, help_text="A cell a column.")


class ChangedListInput(ListInput):
    is_archived = serializers.BooleanField()


class RowsInput(Input):
    rows = RowsField(help_text="A cell a column.")


class OwnerInput(Input):
    owner = RowField(User.objects.active, "user", allow_null=True)


class ListFilter(AgeFilters):
    owner = UUIDFilter(field_name="owner__uid")
    tag = CharFilter(method="with_tag", label="A tag's name.")
    is_archived = FlagFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)

    def with_tag(self, rows, name, value):
        return rows.filter(tags__name_key=value.casefold())


class ProspectingListViewSet(Lists, Shows, NativeViewSet):
    """Sheets of people and companies to try. People see shared ones, and those of whose leads they see."""

    subject = "prospecting-lists"
    serializer_class = ProspectingListSerializer
    input_class = ChangedListInput
    inputs = {"create": NewListInput, "assign": OwnerInput, "prospects": RowsInput, "comments": CommentInput}
    parameters = {"prospects": KeysetPagination.PARAMETERS, "comments": KeysetPagination.PARAMETERS}
    filterset_class = ListFilter
    orders = {"id": "id", "title": "title", "created_at": "created_at", "updated_at": "updated_at"}

    def get_queryset(self):
        return lists_of(self.caller)

    def create(self, request):
        """Without an owner, a key's list is nobody's and a person's list is their own."""
        facts: dict[str, Any] = self.body()
        facts.setdefault("owner", self.caller.user)
        return self.created(create_list(self.account, by=self.by, **facts))

    def partial_update(self, request, id):
        return self.answer(update_list(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_list(self.row(), by=self.by)
        return gone()

    @action(detail=True, methods=["post"])
    def assign(self, request, id):
        return self.answer(assign_list(self.row(), self.body()["owner"], by=self.by))

    @extend_schema(methods=["GET"], responses=ProspectSerializer(many=True))
    @extend_schema(methods=["POST"], responses={201: ProspectSerializer(many=True)})
    @action(detail=True, methods=["get", "post"])
    def prospects(self, request, id):
        """The rows, or some more at the end."""
        found = self.row()
        if request.method != "POST":
            rows = Prospect.objects.filter(prospecting_list=found)
            return Response(self.paginator.answer(rows, self, ProspectSerializer))
        added = add_prospects(found, self.body()["rows"], by=self.by)
        ids = [prospect.pk for prospect in added]
        rows = ProspectSerializer.rows(Prospect.objects.filter(pk__in=ids).order_by("pk"))
        return Response({"data": rows}, status=201)

    @extend_schema(methods=["GET"], responses=CommentSerializer(many=True))
    @extend_schema(methods=["POST"], responses={201: CommentSerializer})
    @action(detail=True, methods=["get", "post"])
    def comments(self, request, id):
        return comments_on(self, self.row())
