"""Teams: everybody may list them, administrators manage them."""

from __future__ import annotations

from rest_framework.response import Response

from pipelime.accounts import teams
from pipelime.accounts.models import Team, User
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.parameters import flag, known_person
from pipelime.api.propipelines.people import team_shape
from pipelime.api.propipelines.resources import ProPipeLinesViewSet, as_id
from pipelime.errors import NotFound


class TeamViewSet(ProPipeLinesViewSet):
    subject = "teams"
    admin_only = frozenset({"create", "retrieve", "update", "destroy", "add_member", "remove_member"})

    def get_queryset(self):
        return Team.objects.prefetch_related("members__user")

    def list(self, request) -> Response:
        return whole_list([team_shape(team) for team in self.get_queryset().order_by("pk")])

    def create(self, request) -> Response:
        team = teams.create_team(self.account, by=self.by, name=self.needed("name"))
        return Response(team_shape(team), status=201)

    def retrieve(self, request, id: str) -> Response:
        """By its id, or by its name."""
        team = self.row() if as_id(id) else self.get_queryset().filter(name=plain_name(id)).first()
        if team is None:
            raise NotFound("There is no such team")
        return Response(team_shape(team))

    def update(self, request, id: str) -> Response:
        team = self.row()
        teams.update_team(team, by=self.by, name=self.needed("name"))
        return Response(team_shape(self.row()))

    def destroy(self, request, id: str) -> Response:
        return self.deleted(self.row(), teams.delete_team)

    def add_member(self, request, id: str) -> Response:
        """Somebody who is in the team already becomes its manager, or is one no longer."""
        team, user = self.row(), self.member()
        is_manager = flag(self.body().get("is_manager"), "is_manager")
        teams.add_member(team, user, by=self.by, is_manager=is_manager)
        return Response(team_shape(self.row()))

    def remove_member(self, request, id: str) -> Response:
        team, user = self.row(), self.member()
        teams.remove_member(team, user, by=self.by)
        return Response(team_shape(self.row()))

    def member(self) -> User:
        """In the body or in the query: some programs send no body with a DELETE."""
        return known_person(self.needed("user_id", {**self.given.dict(), **self.body()}))


def plain_name(name: str) -> str:
    if "\x00" in name:
        raise NotFound("There is no such team")
    return name
