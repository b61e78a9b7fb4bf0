"""Teams: names, members and managers."""

import pytest

from pipelime.accounts.models import Team
from pipelime.accounts.teams import create_team, delete_team, update_team
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from tests.factories import UserFactory


def members_of(team):
    return sorted((member.user.pk, member.is_manager) for member in team.members.all())


def test_a_team_has_members_and_managers(account, user, seller):
    team = create_team(account, by=user, name="North", members=[(user, True), (seller, False), (user, False)])

    assert members_of(team) == sorted([(user.pk, True), (seller.pk, False)])
    assert Event.objects.about(team).get().name == "team.created"


def test_a_team_changes_its_members(account, user, seller):
    team = create_team(account, by=user, name="North", members=[(user, True)])

    update_team(team, by=user, name="South", members=[(seller, True)])
    update_team(team, by=user, name="South", members=[(seller, True)])

    assert members_of(team) == [(seller.pk, True)]
    changes = [event.data["changes"] for event in Event.objects.about(team).order_by("pk")[1:]]
    assert [change["name"] for change in changes] == [["North", "South"]]
    assert [[row["name"] for row in side] for side in changes[0]["members"]] == [[user.name], [seller.name]]


def test_a_taken_name_is_a_conflict(account, user):
    team = create_team(account, by=user, name="North")

    with pytest.raises(Conflict) as conflict:
        create_team(account, by=user, name="North")

    assert conflict.value.existing == str(team.uid)


def test_a_member_of_another_account_looks_missing(account, user):
    with pytest.raises(Invalid, match="There is no such user"):
        create_team(account, by=user, name="North", members=[(UserFactory(), False)])

    assert not Team.objects.exists()


def test_a_deleted_team_is_remembered(account, user):
    team = create_team(account, by=user, name="North", members=[(user, True)])
    pk = team.pk

    delete_team(team, by=user)

    assert not Team.objects.exists()
    assert Event.objects.filter(name="team.deleted", subject_id=pk).count() == 1
