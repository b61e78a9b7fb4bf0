"""Comments on leads."""

from __future__ import annotations

from rest_framework.response import Response

from crm.comments import delete_comment
from crm.models import Comment
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.commenting import comment_on, comment_shape
from pipelime.api.propipelines.lead_filters import seen_leads
from pipelime.api.propipelines.leads import LeadPartViewSet
from pipelime.api.propipelines.parameters import direction


class LeadCommentViewSet(LeadPartViewSet):
    def get_queryset(self):
        seen = Comment.objects.filter(lead__in=seen_leads(self.caller))
        return seen.select_related("author").prefetch_related("attachments")

    def list(self, request, lead_id: str) -> Response:
        """The whole history: there are no pages."""
        rows = self.get_queryset().filter(lead=self.lead()).order_by(f"{direction(self.given, 'desc')}pk")
        return whole_list([comment_shape(comment) for comment in rows])

    def create(self, request, lead_id: str) -> Response:
        return Response(comment_shape(comment_on(self, self.lead())), status=201)

    def destroy(self, request, lead_id: str, id: str) -> Response:
        return self.deleted(self.row(self.get_queryset().filter(lead=self.lead())), delete_comment)
