"""Teams: their names, their members, and who manages them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from pipelime.accounts.models import Account, Team, TeamMember, User
from pipelime.changing import assign, check_belongs, checked, conflict_when_taken, reread
from pipelime.errors import NotFound
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
    if members is not None and (joined := set_members(team, members)):
        team.save(update_fields=["updated_at"])
        changed |= joined
    if changed:
        record("team.updated", team, by=by, changes=changed)
    return team


@transaction.atomic
def delete_team(team: Team, *, by) -> None:
    record("team.deleted", reread(team), by=by)
    team.delete()


@transaction.atomic
def add_member(team: Team, user: User, *, by, is_manager: bool = False) -> Team:
    """Adding somebody who is in the team already says whether that person manages it."""
    reread(team)
    before = membership(team)
    return change_members(team, before, {**before, user: is_manager}, by=by)


@transaction.atomic
def remove_member(team: Team, user: User, *, by) -> Team:
    reread(team)
    before = membership(team)
    if user not in before:
        raise NotFound(f"{user.name} is not in the team {team.name}")
    return change_members(team, before, {who: does for who, does in before.items() if who != user}, by=by)


def change_members(team: Team, before: dict[User, bool], after: dict[User, bool], *, by) -> Team:
    if changed := set_members(team, after.items(), before):
        team.save(update_fields=["updated_at"])
        record("team.updated", team, by=by, changes=changed)
    return team


def set_members(team: Team, members: Members, before: dict[User, bool] | None = None) -> dict[str, list]:
    """A person named twice manages the team if either says so."""
    wanted: dict[User, bool] = {}
    for user, is_manager in members:
        check_belongs(user, team.account_id, field="members")
        wanted[user] = wanted.get(user, False) or bool(is_manager)
    before = membership(team) if before is None else before
    if before == wanted:
        return {}
    team.members.all().delete()
    TeamMember.objects.bulk_create(
        TeamMember(account_id=team.account_id, team=team, user=user, is_manager=is_manager)
        for user, is_manager in wanted.items()
    )
    return {"members": [facts(before), facts(wanted)]}


def membership(team: Team) -> dict[User, bool]:
    """Who is in the team, and whether that person manages it."""
    return {row.user: row.is_manager for row in team.members.select_related("user")}


def facts(members: dict[User, bool]) -> list[dict]:
    rows = [
        {"id": str(user.uid), "name": user.name, "is_manager": manages} for user, manages in members.items()
    ]
    return sorted(rows, key=lambda row: row["id"])


def name_taken(name: str):
    return conflict_when_taken(
        f"A team named {name!r} exists already", lambda: Team.objects.filter(name=name).first()
    )
