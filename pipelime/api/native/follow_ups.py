"""Follow-ups: what is to be done for a lead after the sale, as lists of tasks."""

from __future__ import annotations

from django_filters import UUIDFilter
from rest_framework import serializers

from crm.follow_ups import (
    add_task,
    create_follow_up,
    delete_follow_up,
    delete_task,
    update_follow_up,
    update_task,
)
from crm.models import FollowUp, FollowUpTask, Lead
from pipelime.accounts.models import User
from pipelime.api.native.filters import CheckedFilters, MomentFilter, WordsFilter
from pipelime.api.native.inputs import Input, RowField
from pipelime.api.native.references import LeadRef, UserRef
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Names, Shaped
from pipelime.api.native.visibility import check_seen, leads_of


class TaskInFollowUp(Shaped):
    id = serializers.UUIDField(source="uid")
    title = serializers.CharField()
    owner = UserRef(allow_null=True)
    status = serializers.ChoiceField(choices=FollowUp.Status.choices)
    due_at = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)


class FollowUpSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    lead = LeadRef()
    title = serializers.CharField()
    description = serializers.CharField()
    owner = UserRef(allow_null=True)
    status = serializers.ChoiceField(choices=FollowUp.Status.choices)
    tags = Names()
    tasks = TaskInFollowUp(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class FollowUpInput(Input):
    title = serializers.CharField(max_length=250)
    description = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    owner = RowField(User.objects.active, "user", required=False, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=100), required=False)


class NewFollowUpInput(FollowUpInput):
    lead = RowField(Lead.objects.alive, "lead")


class FollowUpFilter(CheckedFilters):
    lead = UUIDFilter(field_name="lead__uid")
    owner = UUIDFilter(field_name="owner__uid")
    status = WordsFilter(field_name="status")


class FollowUpViewSet(Lists, Shows, NativeViewSet):
    """Of the leads that the caller may see. The status follows the tasks."""

    subject = "follow-ups"
    serializer_class = FollowUpSerializer
    input_class = FollowUpInput
    inputs = {"create": NewFollowUpInput}
    filterset_class = FollowUpFilter
    orders = {"id": "id", "created_at": "created_at", "updated_at": "updated_at"}

    def get_queryset(self):
        return FollowUp.objects.filter(lead__in=leads_of(self.caller))

    def create(self, request):
        facts = self.body()
        lead = facts.pop("lead")
        check_seen(lead, self.caller)
        return self.created(create_follow_up(lead, by=self.by, **facts))

    def partial_update(self, request, id):
        return self.answer(update_follow_up(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_follow_up(self.row(), by=self.by)
        return gone()


class FollowUpRef(Shaped):
    id = serializers.UUIDField(source="uid")
    title = serializers.CharField()


class TaskSerializer(TaskInFollowUp):
    follow_up = FollowUpRef()
    lead = LeadRef(source="follow_up.lead")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NewTaskInput(Input):
    follow_up = RowField(FollowUp.objects.select_related("lead").all, "follow-up")
    title = serializers.CharField(max_length=250)
    owner = RowField(User.objects.active, "user", required=False, allow_null=True)
    due_at = serializers.DateTimeField(required=False, allow_null=True)


class TaskInput(Input):
    title = serializers.CharField(max_length=250)
    owner = RowField(User.objects.active, "user", allow_null=True)
    status = serializers.CharField()
    due_at = serializers.DateTimeField(allow_null=True)


class TaskFilter(CheckedFilters):
    follow_up = UUIDFilter(field_name="follow_up__uid")
    owner = UUIDFilter(field_name="owner__uid")
    status = WordsFilter(field_name="status")
    due_before = MomentFilter(field_name="due_at", lookup_expr="lt")


class FollowUpTaskViewSet(Lists, Shows, NativeViewSet):
    """The tasks of follow-ups."""

    subject = "follow-ups"
    serializer_class = TaskSerializer
    input_class = TaskInput
    inputs = {"create": NewTaskInput}
    filterset_class = TaskFilter
    orders = {"id": "id", "due_at": "due_at"}
    default_order = "id"

    def get_queryset(self):
        return FollowUpTask.objects.filter(follow_up__lead__in=leads_of(self.caller))

    def create(self, request):
        facts = self.body()
        follow_up = facts.pop("follow_up")
        check_seen(follow_up.lead, self.caller)
        return self.created(add_task(follow_up, by=self.by, **facts))

    def partial_update(self, request, id):
        return self.answer(update_task(self.row(), by=self.by, **self.body()))

    def destroy(self, request, id):
        delete_task(self.row(), by=self.by)
        return gone()
