"""The people of the account."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.response import Response

from pipelime.accounts.models import User
from pipelime.accounts.people import disable_user, invite_user, send_activation
from pipelime.api.propipelines.answers import whole_list
from pipelime.api.propipelines.errors import unprocessable
from pipelime.api.propipelines.parameters import direction, flag, moment, one_of, person, several, sought
from pipelime.api.propipelines.people import user_shape
from pipelime.api.propipelines.resources import ProPipeLinesViewSet, as_id
from pipelime.errors import Conflict, NotFound
from pipelime.permalinks import permalink

ACTIVATED = Q(activated_at__isnull=False, disabled_at=None)
STATUSES = {"all": Q(), "activated": ACTIVATED, "deactivated": Q(disabled_at__isnull=False)}
ROLES = {"all": Q(), "admin": Q(is_admin=True), "non-admin": Q(is_admin=False)}
NAMES = {"lastname": "last_name", "firstname": "first_name"}


class UserViewSet(ProPipeLinesViewSet):
    subject = "users"
    admin_only = frozenset({"create", "send_activation_email", "disable"})
    writing = frozenset({"send_activation_email"})

    def get_queryset(self):
        return User.objects.select_related("account").prefetch_related("memberships__team")

    def row(self, queryset=None, id=None) -> User:
        """By id or by e-mail address, as the path has it."""
        user = person(self.kwargs["id"], among=self.get_queryset())
        if user is None:
            raise NotFound("There is no such user")
        return user

    def list(self, request) -> Response:
        rows = self.filtered(self.get_queryset())
        users = rows.order_by(f"{direction(self.given, 'asc')}pk")
        return whole_list([{**full_user_shape(user), "teams": teams_shape(user)} for user in users])

    def filtered(self, users: QuerySet) -> QuerySet:
        users = users.filter(STATUSES[one_of(self.given, "status", tuple(STATUSES), "all")])
        users = users.filter(ROLES[one_of(self.given, "role", tuple(ROLES), "all")])
        if email := sought(self.given, "email"):
            users = users.filter(email=User.normalise(email))
        for name, column in NAMES.items():
            if word := sought(self.given, name):
                users = users.filter(**{f"{column}__iexact": word})
        if teams := several(self.given, "teams"):
            users = users.filter(pk__in=members_of(teams))
        return users

    def create(self, request) -> Response:
        """By default nobody is mailed."""
        given = self.body()
        profile = {column: given[name] for name, column in NAMES.items() if name in given}
        try:
            user = invite_user(
                self.account,
                by=self.by,
                email=self.needed("email"),
                is_admin=flag(given.get("is_admin"), "is_admin"),
                locale=self.account.locale,
                send_mail=not flag(given.get("dont_send_email"), "dont_send_email", default=True),
                **profile,
            )
        except Conflict as taken:
            raise unprocessable(taken) from None
        return Response(full_user_shape(user), status=201)

    def retrieve(self, request, id: str) -> Response:
        return Response(full_user_shape(self.row()))

    def send_activation_email(self, request, id: str) -> Response:
        user = self.row()
        if user.activated_at is not None:
            return Response(status=304)
        send_activation(user, by=self.by)
        return Response()

    def disable(self, request, id: str) -> Response:
        return Response(full_user_shape(disable_user(self.row(), by=self.by)))


def members_of(teams: list[str]) -> QuerySet:
    """The ids of who is in any of the teams of these ids or names."""
    ids = [number for team in teams if (number := as_id(team))]
    named = Q(memberships__team__in=ids) | Q(memberships__team__name__in=teams)
    return User.objects.filter(named).values("pk")


def full_user_shape(user: User) -> dict[str, Any]:
    return {
        **(user_shape(user) or {}),
        "job_title": user.job_title,
        "im_type": user.im_type,
        "im": user.im,
        "updated_at": moment(user.updated_at),
        "created_at": moment(user.created_at),
        "is_admin": user.is_admin,
        "has_activated": user.activated_at is not None,
        "is_disabled": not user.is_active,
        "locale": user.locale,
        "time_zone": user.time_zone or (user.account.time_zone if user.account else "UTC"),
        "permalink": permalink("users", user.pk),
    }


def teams_shape(user: User) -> list[dict[str, Any]]:
    members = sorted(user.memberships.all(), key=lambda member: member.team_id)
    return [
        {"id": member.team_id, "name": member.team.name, "is_manager": member.is_manager}
        for member in members
    ]
