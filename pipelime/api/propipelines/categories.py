"""Categories, and the predefined tags in them."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from rest_framework.response import Response

from crm.models import Tag, TagCategory
from crm.ordering import BY_POSITION
from crm.tags import create_category, create_predefined_tag
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.parameters import flag, moment
from pipelime.api.propipelines.resources import ProPipeLinesViewSet


class CategoryViewSet(ProPipeLinesViewSet):
    subject = "fields"
    admin_only = frozenset({"create"})

    def get_queryset(self):
        return TagCategory.objects.order_by(*BY_POSITION)

    def list(self, request) -> Response:
        if not flag(self.given.get("include_tags"), "include_tags"):
            return whole_list([category_shape(category) for category in self.get_queryset()])
        tags = Prefetch("tags", Tag.objects.select_related("category").order_by(*BY_POSITION))
        categories = self.get_queryset().prefetch_related(tags)
        return whole_list(
            [
                {**category_shape(category), "supertags": [tag_shape(tag) for tag in category.tags.all()]}
                for category in categories
            ]
        )

    def create(self, request) -> Response:
        category = create_category(self.account, by=self.by, name=self.needed("name"))
        return Response({**category_shape(category), "position": category.position}, status=201)


class PredefinedTagViewSet(ProPipeLinesViewSet):
    subject = "fields"
    admin_only = frozenset({"create"})

    def get_queryset(self):
        tags = Tag.objects.filter(category__isnull=False).select_related("category")
        return tags.order_by("category_id", *BY_POSITION)

    def list(self, request) -> Response:
        return whole_list([predefined_tag_shape(tag) for tag in self.get_queryset()])

    def create(self, request) -> Response:
        name = self.needed("name")
        category = self.row(TagCategory.objects.all(), self.needed("category_id"))
        tag = create_predefined_tag(self.account, by=self.by, name=name, category=category)
        return Response(predefined_tag_shape(tag), status=201)


def category_shape(category: TagCategory) -> dict[str, Any]:
    return {
        "id": category.pk,
        "name": category.name,
        "is_required": category.is_required,
        "updated_at": moment(category.updated_at),
        "created_at": moment(category.created_at),
    }


def tag_shape(tag: Tag) -> dict[str, Any]:
    return {
        "id": tag.pk,
        "name": tag.name,
        "category": tag.category.name if tag.category else None,
        "created_at": moment(tag.created_at),
        "position": tag.position,
    }


def predefined_tag_shape(tag: Tag) -> dict[str, Any]:
    return {**tag_shape(tag), "category_id": tag.category_id}
