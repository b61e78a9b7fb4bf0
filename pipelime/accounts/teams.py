"""Teams: their names, their members, and who manages them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from pipelime.accounts.models import Account, Team, TeamMember, User
from pipelime.changing import assign, check_belongs, checked, conflict_when_taken, reread
from pipelime.events.recording import record

Members = Iterable[tuple[User, bool]]


@transaction.atomic
def create_team(account: Account, *, by, name: str, members: Members = ()) -> Team:
    values = checked(Team, {"name": name})
    with name_taken(values["name"]):
        team = Team.objects.create(account=account, **values)
    set_members(team, members)
    record("team.created", team, by=by)
    return team


@transaction.atomic
def update_team(team: Team, *, by, name: str | None = None, members: Members | None = None) -> Team:
    """`members` replaces the whole list."""
    reread(team)
    changed = assign(team, checked(Team, {"name": name})) if name is not None else {}
    if changed:
        with name_taken(team.name):
            team.save(update_fields=["name", "updated_at"])
    if members is not None:
        changed |= set_members(team, members)
    if changed:
        record("team.updated", team, by=by, changes=changed)
    return team


@transaction.atomic
def delete_team(team: Team, *, by) -> None:
    record("team.deleted", reread(team), by=by)
    team.delete()


def set_members(team: Team, members: Members) -> dict[str, list]:
    """A person named twice manages the team if either says so."""
    wanted: dict[User, bool] = {}
    for user, is_manager in members:
        check_belongs(user, team.account_id, field="members")
        wanted[user] = wanted.get(user, False) or bool(is_manager)
    before = {row.user: row.is_manager for row in team.members.select_related("user")}
    if before == wanted:
        return {}
    team.members.all().delete()
    TeamMember.objects.bulk_create(
        TeamMember(account_id=team.account_id, team=team, user=user, is_manager=is_manager)
        for user, is_manager in wanted.items()
    )
    return {"members": [facts(before), facts(wanted)]}


def facts(members: dict[User, bool]) -> list[dict]:
    rows = [
        {"id": str(user.uid), "name": user.name, "is_manager": manages} for user, manages in members.items()
    ]
    return sorted(rows, key=lambda row: row["id"])


def name_taken(name: str):
    return conflict_when_taken(
        f"A team named {name!r} exists already", lambda: Team.objects.filter(name=name).first()
    )
