"""Activities: calls, meetings and tasks, planned or done."""

from __future__ import annotations

from rest_framework import serializers

from crm.models import ActivityType
from pipelime.accounts.models import User
from pipelime.api.native.inputs import Input, RowField
from pipelime.api.native.references import LeadRef, NamedRef, UserRef
from pipelime.api.native.shapes import Shaped


class LoggedActivitySerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    type = NamedRef()
    lead = LeadRef(allow_null=True)
    user = UserRef(allow_null=True)
    note = serializers.CharField()
    outcome = serializers.CharField()
    phone = serializers.CharField()
    due_at = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class ActivityInput(Input):
    type = RowField(ActivityType.objects.all, "activity type")
    user = RowField(User.objects.active, "user", required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    outcome = serializers.CharField(max_length=100, required=False, allow_blank=True)
    at = serializers.DateTimeField(required=False, help_text="When it was; now if left out.")
