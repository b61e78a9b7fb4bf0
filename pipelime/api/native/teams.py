"""Teams: who works together, and who manages them."""

from __future__ import annotations

from typing import Any

from django_filters import UUIDFilter
from rest_framework import serializers

from pipelime.accounts.models import Team, User
from pipelime.accounts.teams import create_team, delete_team, update_team
from pipelime.api.http import WRITES
from pipelime.api.native.filters import CheckedFilters
from pipelime.api.native.inputs import Input, RowField
from pipelime.api.native.references import person_name
from pipelime.api.native.resources import Lists, NativeViewSet, Shows, gone
from pipelime.api.native.shapes import Computed, Shaped


class MemberSerializer(Shaped):
    """A user in a team; the id is the user's."""

    id = serializers.UUIDField(source="user.uid")
    name = Computed(
        person_name, "user__first_name", "user__last_name", "user__email", kind=serializers.CharField()
    )
    email = serializers.EmailField(source="user.email")
    is_manager = serializers.BooleanField()


class TeamSerializer(Shaped):
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    members = MemberSerializer(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class MemberInput(Input):
    user = RowField(User.objects.all, "user")
    is_manager = serializers.BooleanField(required=False)


class TeamInput(Input):
    name = serializers.CharField(max_length=150)
    members = MemberInput(many=True, required=False, help_text="All of them: it replaces the list.")


class TeamFilter(CheckedFilters):
    member = UUIDFilter(field_name="members__user__uid")


class TeamViewSet(Lists, Shows, NativeViewSet):
    """People who see each other's leads where the account shows leads to teams."""

    subject = "teams"
    admin_methods = WRITES
    serializer_class = TeamSerializer
    input_class = TeamInput
    filterset_class = TeamFilter
    orders = {"id": "id", "name": "name"}
    default_order = "name"

    def get_queryset(self):
        return Team.objects.all()

    def create(self, request):
        return self.created(create_team(self.account, by=self.by, **facts(self.body())))

    def partial_update(self, request, id):
        return self.answer(update_team(self.row(), by=self.by, **facts(self.body())))

    def destroy(self, request, id):
        delete_team(self.row(), by=self.by)
        return gone()


def facts(body: dict[str, Any]) -> dict[str, Any]:
    """Members as the verbs take them."""
    if "members" in body:
        body["members"] = [(member["user"], member.get("is_manager", False)) for member in body["members"]]
    return body
