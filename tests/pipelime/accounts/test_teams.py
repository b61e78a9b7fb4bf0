"""Teams: names, members and managers."""

from functools import partial

import pytest

from pipelime.accounts.models import Team
from pipelime.accounts.teams import add_member, create_team, delete_team, remove_member, update_team
from pipelime.errors import Conflict, Invalid, NotFound
from pipelime.events.models import Event
from pipelime.scope import account_scope
from tests.factories import AccountFactory, TeamFactory, UserFactory
from tests.threads import all_at_once


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


def test_somebody_joins_a_team_and_becomes_its_manager(account, user, seller):
    team = create_team(account, by=user, name="North", members=[(user, True)])

    add_member(team, seller, by=user)
    add_member(team, seller, by=user, is_manager=True)
    add_member(team, seller, by=user, is_manager=True)

    assert members_of(team) == sorted([(user.pk, True), (seller.pk, True)])
    changes = [event.data["changes"]["members"] for event in Event.objects.filter(name="team.updated")]
    assert [len(after) for _, after in changes] == [2, 2]


def test_somebody_leaves_a_team(account, user, seller):
    team = create_team(account, by=user, name="North", members=[(user, True), (seller, False)])
    before = team.updated_at

    remove_member(team, seller, by=user)

    assert members_of(team) == [(user.pk, True)]
    assert team.updated_at > before


def test_who_is_not_in_a_team_cannot_leave_it(account, user, seller):
    team = create_team(account, by=user, name="North", members=[(user, True)])

    with pytest.raises(NotFound, match="is not in the team North"):
        remove_member(team, seller, by=user)

    assert not Event.objects.filter(name="team.updated").exists()


def test_nobody_of_another_account_joins_a_team(account, user, stranger):
    team = create_team(account, by=user, name="North")

    with pytest.raises(Invalid, match="There is no such user"):
        add_member(team, stranger, by=user)

    assert members_of(team) == []


@pytest.mark.django_db(transaction=True)
def test_of_people_who_join_at_once_none_is_lost():
    account = AccountFactory()
    people = [UserFactory(account=account) for _ in range(4)]
    team = TeamFactory(account=account)

    def join(user):
        add_member(Team.objects.get(pk=team.pk), user, by=None)

    all_at_once([partial(join, user) for user in people], account=account)

    with account_scope(account):
        assert members_of(team) == sorted((user.pk, False) for user in people)
