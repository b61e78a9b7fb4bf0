"""How people and teams are written wherever this API names them."""

from __future__ import annotations

from typing import Any

from pipelime.accounts.models import Team, User
from pipelime.api.propipelines.parameters import moment


def brief_user_shape(user: User | None) -> dict[str, Any] | None:
    if user is None:
        return None
    return {"id": user.pk, "lastname": user.last_name, "firstname": user.first_name, "email": user.email}


def user_shape(user: User | None) -> dict[str, Any] | None:
    """With the numbers at which the person is reached."""
    brief = brief_user_shape(user)
    if user is None or brief is None:
        return None
    return {**brief, "phone": user.phone, "mobile_phone": user.mobile_phone}


def team_shape(team: Team) -> dict[str, Any]:
    """Prefetch `members__user`."""
    return {
        "id": team.pk,
        "name": team.name,
        "users": members_shape(team),
        "updated_at": moment(team.updated_at),
        "created_at": moment(team.created_at),
    }


def members_shape(team: Team) -> list[dict[str, Any]]:
    """The people of a team, in the order of their ids."""
    members = sorted(team.members.all(), key=lambda member: member.user_id)
    return [{**(brief_user_shape(member.user) or {}), "is_manager": member.is_manager} for member in members]
