"""Comments in the workspace."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from unfold.decorators import display

from crm.comments import delete_comment, update_comment
from crm.models import Comment, Lead, Prospect, ProspectingList
from pipelime.backoffice.admin import WorkspaceAdmin


@admin.register(Comment)
class CommentAdmin(WorkspaceAdmin):
    """Comments are written on the page of what they are about."""

    can_add = False
    list_display = ("__str__", "shown_subject", "author", "created_at")
    list_select_related = (
        "author",
        "activity_type",
        "lead",
        "contact",
        "company",
        "prospecting_list",
        "prospect",
    )
    ordering = ("-id",)
    fields = ("content", "shown_subject", "author", "activity_type", "created_at")
    readonly_fields = ("shown_subject", "author", "activity_type", "created_at")

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        leads = Lead.objects.alive().visible_to(request.user).values("pk")
        lists = ProspectingList.objects.alive().visible_to(request.user).values("pk")
        prospects = Prospect.objects.alive().visible_to(request.user).values("pk")
        return rows.filter(
            Q(lead=None) | Q(lead__in=leads),
            Q(prospecting_list=None) | Q(prospecting_list__in=lists),
            Q(prospect=None) | Q(prospect__in=prospects),
        ).prefetch_related("contact__emails")

    @display(description="about")
    def shown_subject(self, comment: Comment) -> str:
        return str(comment.subject)

    def change(self, request, row, values):
        return update_comment(row, by=request.user, **values)

    def remove(self, request, row):
        delete_comment(row, by=request.user)
