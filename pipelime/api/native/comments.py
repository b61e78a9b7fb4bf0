"""Comments: written about a lead, changed and deleted by themselves."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from crm.comments import create_comment, delete_comment, name_of, update_comment
from crm.models import ActivityType, Comment
from pipelime.api.native.inputs import Input, RowField
from pipelime.api.native.references import NamedRef, UserRef
from pipelime.api.native.resources import NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Shaped
from pipelime.api.native.visibility import leads_of


class CommentSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    content = serializers.CharField()
    author = UserRef(allow_null=True)
    activity_type = NamedRef(allow_null=True)
    is_pinned = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CommentInput(Input):
    content = serializers.CharField(trim_whitespace=False)
    activity_type = RowField(
        ActivityType.objects.select_related("parent").all, "activity type", required=False, allow_null=True
    )


class ChangedCommentInput(Input):
    content = serializers.CharField(trim_whitespace=False)


def comments_on(view: NativeViewSet, subject: Any) -> Response:
    """The page of comments on one row, or one more comment on it."""
    if view.request.method != "POST":
        rows = Comment.objects.filter(**{name_of(subject): subject})
        return Response(view.paginator.answer(rows, view, CommentSerializer))
    comment = create_comment(subject, by=view.by, **view.body(CommentInput))
    return Response(CommentSerializer().to_representation(comment), status=201)


class CommentViewSet(Shows, NativeViewSet):
    """Comments on leads that the caller may see."""

    subject = "leads"
    serializer_class = CommentSerializer
    input_class = ChangedCommentInput

    def get_queryset(self):
        return Comment.objects.filter(lead__in=leads_of(self.caller))

    def partial_update(self, request, id):
        return self.answer(update_comment(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_comment(self.row(), by=self.by)
        return gone()
