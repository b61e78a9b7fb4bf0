"""Teams: listed for all, managed by administrators."""

from __future__ import annotations

import pytest

from pipelime.accounts.models import Team, TeamMember
from pipelime.accounts.people import disable_user
from pipelime.accounts.teams import add_member, create_team
from pipelime.api.propipelines.parameters import moment
from pipelime.events.models import Event
from tests.factories import TeamFactory, TeamMemberFactory, UserFactory

NO_PRIVILEGES = {
    "error": 401,
    "message": "Unauthorized: the user has not the privileges to do this action.",
    "type": "unauthorized_privileges",
}


@pytest.fixture
def team(account, user, seller):
    return create_team(account, by=user, name="Web Sales", members=[(user, True)])


def member(user, *, is_manager: bool) -> dict:
    return {
        "id": user.pk, "lastname": user.last_name, "firstname": user.first_name, "email": user.email,
        "is_manager": is_manager,
    }  # fmt: skip


def shape(team, *members) -> dict:
    team.refresh_from_db()
    return {
        "id": team.pk, "name": team.name, "users": list(members), "updated_at": moment(team.updated_at),
        "created_at": moment(team.created_at),
    }  # fmt: skip


def test_teams_are_listed_by_age_with_their_people(logged_in, account, user, seller, team):
    older = TeamFactory(account=account, name="A younger one")
    add_member(team, seller, by=user)
    TeamFactory()

    answer = logged_in(seller).get("/api/v2/teams")

    people = [member(user, is_manager=True), member(seller, is_manager=False)]
    assert answer.json() == [shape(team, *people), shape(older)]
    assert answer["X-TOTAL-COUNT"] == "2"


def test_twenty_teams_take_as_many_queries_as_one(program, account, team, queries):
    one = queries("/api/v2/teams")

    for _ in range(19):
        TeamMemberFactory(account=account)

    assert queries("/api/v2/teams") == one
    assert [len(team["users"]) for team in program.get("/api/v2/teams").json()] == [1] * 20


def test_a_team_is_made(program, user):
    answer = program.post("/api/v2/teams", {"name": "Web Sales"}, format="json")

    assert (answer.status_code, answer.json()) == (201, shape(Team.objects.get()))
    assert Event.objects.get(name="team.created").actor == user


@pytest.mark.parametrize("given", [{}, {"name": ""}])
def test_a_team_needs_a_name(program, given):
    answer = program.post("/api/v2/teams", given, format="json")

    assert (answer.status_code, answer.json()["message"]) == (422, "Missing required parameter: name")


def test_a_name_is_given_once(program, team):
    answer = program.post("/api/v2/teams", {"name": "Web Sales"}, format="json")

    assert (answer.status_code, answer.json()["id"]) == (409, team.pk)


def test_a_team_is_read_by_its_id_or_its_name(program, user, team):
    for name in (team.pk, "Web Sales", "Web%20Sales"):
        assert program.get(f"/api/v2/teams/{name}").json() == shape(team, member(user, is_manager=True))


@pytest.mark.parametrize("name", ["987654321", "Nobody", "%00"])
def test_there_is_no_other_team(program, team, name):
    assert program.get(f"/api/v2/teams/{name}").status_code == 404


def test_a_team_gets_another_name(program, user, team):
    answer = program.put(f"/api/v2/teams/{team.pk}", {"name": "My new team name"}, format="json")

    assert (answer.status_code, answer.json()) == (200, shape(team, member(user, is_manager=True)))
    assert team.name == "My new team name"
    assert program.put(f"/api/v2/teams/{team.pk}", {}, format="json").status_code == 422


def test_a_team_is_deleted(program, team):
    number = team.pk

    answer = program.delete(f"/api/v2/teams/{number}")

    assert (answer.status_code, answer.json()) == (200, {"id": number})
    assert not Team.objects.exists()


@pytest.mark.parametrize("by_email", [True, False])
def test_somebody_joins_a_team(program, user, seller, team, by_email):
    before = team.updated_at

    answer = program.post(
        f"/api/v2/teams/{team.pk}/add_member",
        {"user_id": seller.email if by_email else seller.pk},
        format="json",
    )

    people = [member(user, is_manager=True), member(seller, is_manager=False)]
    assert (answer.status_code, answer.json()) == (200, shape(team, *people))
    assert team.updated_at > before


@pytest.mark.parametrize(
    ("flag", "is_manager"), [(True, True), ("true", True), (False, False), (None, False)]
)
def test_adding_somebody_again_changes_the_role(program, user, team, flag, is_manager):
    answer = program.post(
        f"/api/v2/teams/{team.pk}/add_member", {"user_id": user.pk, "is_manager": flag}, format="json"
    )

    assert answer.json()["users"] == [member(user, is_manager=is_manager)]
    assert Event.objects.filter(name="team.updated").count() == (not is_manager)


def test_somebody_leaves_a_team(program, user, team):
    answer = program.delete(f"/api/v2/teams/{team.pk}/remove_member", {"user_id": user.pk}, format="json")

    assert (answer.status_code, answer.json()) == (200, shape(team))
    assert not TeamMember.objects.exists()


def test_whoever_leaves_may_be_named_in_the_query(program, user, team):
    answer = program.delete(f"/api/v2/teams/{team.pk}/remove_member?user_id={user.email}")

    assert answer.json()["users"] == []


def test_disabled_people_leave_too(program, user, seller, team):
    add_member(team, seller, by=user)
    disable_user(seller, by=user)

    answer = program.delete(f"/api/v2/teams/{team.pk}/remove_member", {"user_id": seller.pk}, format="json")

    assert answer.json()["users"] == [member(user, is_manager=True)]


def test_who_is_not_in_a_team_cannot_leave_it(program, seller, team):
    answer = program.delete(f"/api/v2/teams/{team.pk}/remove_member", {"user_id": seller.pk}, format="json")

    assert answer.status_code == 404


@pytest.mark.parametrize(("method", "path"), [("post", "add_member"), ("delete", "remove_member")])
def test_strangers_and_unknown_people_are_not_recognized(program, stranger, team, method, path):
    for given in (stranger.pk, stranger.email, "nobody@example.com"):
        answer = getattr(program, method)(
            f"/api/v2/teams/{team.pk}/{path}", {"user_id": given}, format="json"
        )
        assert (answer.status_code, answer.json()["message"]) == (400, "Parameter user_id not recognized.")
    assert getattr(program, method)(f"/api/v2/teams/{team.pk}/{path}").json()["message"] == (
        "Missing required parameter: user_id"
    )


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("post", "teams", {"name": "North"}),
        ("get", "teams/{team}", None),
        ("put", "teams/{team}", {"name": "North"}),
        ("post", "teams/{team}/add_member", {"user_id": "{user}"}),
        ("delete", "teams/{team}/remove_member", {"user_id": "{user}"}),
        ("delete", "teams/{team}", None),
    ],
)
def test_only_administrators_manage_teams(logged_in, user, seller, team, method, path, given):
    path = f"/api/v2/{path.format(team=team.pk)}"
    if given and "user_id" in given:
        given = {"user_id": user.pk}

    refused = getattr(logged_in(seller), method)(path, given, format="json")
    done = getattr(logged_in(user), method)(path, given, format="json")

    assert (refused.status_code, refused.json()) == (401, NO_PRIVILEGES)
    assert done.status_code in (200, 201)


def test_a_manager_is_no_administrator(logged_in, account, user, team):
    manager = UserFactory(account=account)
    add_member(team, manager, by=user, is_manager=True)

    assert logged_in(manager).get(f"/api/v2/teams/{team.pk}").status_code == 401
