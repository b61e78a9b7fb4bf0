"""Follow-ups and their tasks in the workspace."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from crm.admin.parts import PartsAdmin
from crm.admin.records import TaggedForm
from crm.follow_ups import (
    add_task,
    create_follow_up,
    delete_follow_up,
    delete_task,
    update_follow_up,
    update_task,
)
from crm.models import FollowUp, FollowUpTask, Lead
from pipelime.backoffice.admin import Button, WorkspaceAdmin, WorkspaceInline

Status = FollowUp.Status
LABELS = {"To do": "info", "Standby": "warning", "Done": "success"}
TASK = ("title", "owner", "status", "due_at")


class TaskInline(WorkspaceInline):
    model = FollowUpTask
    fields = TASK
    autocomplete_fields = ("owner",)
    verbose_name_plural = "tasks"
    hide_title = True

    def get_extra(self, request, obj=None, **kwargs):
        return 2 if obj is None else 0


class SeenLeads:
    """Rows of the leads that this person may see."""

    lead_path = "lead"

    def get_queryset(self, request):
        rows = super().get_queryset(request)  # type: ignore[misc]
        return rows.filter(**{f"{self.lead_path}__in": Lead.objects.alive().visible_to(request.user)})


@admin.register(FollowUp)
class FollowUpAdmin(SeenLeads, PartsAdmin):
    form = TaggedForm
    list_display = ("shown_title", "owner", "shown_status", "shown_done", "created_at")
    list_filter = (("status", ChoicesDropdownFilter), ("owner", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("lead", "owner")
    search_fields = ("title__icontains", "lead__title__icontains")
    ordering = ("-id",)
    autocomplete_fields = ("lead", "owner")
    fields = ("lead", "title", "description", "owner", "tags")
    inlines = (TaskInline,)

    def get_queryset(self, request):
        tasks = Count("tasks"), Count("tasks", filter=Q(tasks__status=Status.DONE))
        return super().get_queryset(request).annotate(task_count=tasks[0], done_count=tasks[1])

    def get_readonly_fields(self, request, obj=None):
        return ("lead",) if obj else ()

    @display(description="follow-up", header=True)
    def shown_title(self, follow_up: FollowUp):
        return follow_up.title, follow_up.lead.title

    @display(description="status", label=LABELS)
    def shown_status(self, follow_up: FollowUp) -> str:
        return follow_up.get_status_display()

    @display(description="tasks done")
    def shown_done(self, follow_up: Any) -> str:
        return f"{follow_up.done_count} of {follow_up.task_count}"

    def create(self, request, values):
        return create_follow_up(values.pop("lead"), by=request.user, **values)

    def change(self, request, row, values):
        return update_follow_up(row, by=request.user, **values)

    def add_part(self, request, owner, values):
        status = values.pop("status", Status.TODO)
        task = add_task(owner, by=request.user, **values)
        if status != Status.TODO:
            update_task(task, by=request.user, status=status)

    def change_part(self, request, part, values):
        update_task(part, by=request.user, **values)

    def remove_part(self, request, part):
        delete_task(part, by=request.user)

    def remove(self, request, row):
        delete_follow_up(row, by=request.user)


def is_open(task: FollowUpTask) -> bool:
    return task.status != Status.DONE


@admin.register(FollowUpTask)
class FollowUpTaskAdmin(SeenLeads, WorkspaceAdmin):
    """Everybody's tasks in one list; they are added on the page of their follow-up."""

    lead_path = "follow_up__lead"
    can_add = False
    list_display = ("shown_title", "owner", "shown_status", "due_at")
    list_filter = (("status", ChoicesDropdownFilter), ("owner", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("follow_up__lead", "owner")
    search_fields = ("title__icontains",)
    ordering = ("-id",)
    autocomplete_fields = ("owner",)
    fields = ("follow_up", *TASK)
    readonly_fields = ("follow_up",)
    buttons = (Button("done", "Done", "check", is_open, primary=True),)

    @display(description="task", header=True)
    def shown_title(self, task: FollowUpTask):
        return task.title, f"{task.follow_up.title}: {task.follow_up.lead.title}"

    @display(description="status", label=LABELS)
    def shown_status(self, task: FollowUpTask) -> str:
        return task.get_status_display()

    def change(self, request, row, values):
        return update_task(row, by=request.user, **values)

    def remove(self, request, row):
        delete_task(row, by=request.user)

    def press_done(self, request, task) -> str:
        update_task(task, by=request.user, status=Status.DONE)
        return f"{task} is done."
