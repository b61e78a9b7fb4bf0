"""Teams over the API."""

from pipelime.accounts.models import Team
from tests.factories import TeamFactory, TeamMemberFactory, UserFactory


def test_a_team_is_made_with_members_who_are_replaced_as_a_whole(native, user, seller):
    members = [{"user": str(user.uid), "is_manager": True}]
    made = native.post("/api/teams", {"name": "North", "members": members}, format="json")
    path = f"/api/teams/{made.json()['id']}"
    changed = native.patch(path, {"members": [{"user": str(seller.uid)}]}, format="json")

    assert made.status_code == 201
    assert made.json()["members"] == [
        {"id": str(user.uid), "name": user.name, "email": user.email, "is_manager": True}
    ]
    assert [(one["id"], one["is_manager"]) for one in changed.json()["members"]] == [(str(seller.uid), False)]
    assert changed.json()["name"] == "North"


def test_a_renamed_team_keeps_its_members(native, account, user):
    member = TeamMemberFactory(account=account, team=TeamFactory(account=account, name="North"), user=user)

    answer = native.patch(f"/api/teams/{member.team.uid}", {"name": "South"}, format="json")

    assert answer.json()["name"] == "South"
    assert [one["id"] for one in answer.json()["members"]] == [str(user.uid)]


def test_teams_are_found_by_a_member(native, account, user):
    member = TeamMemberFactory(account=account, user=user)
    TeamFactory(account=account)

    answer = native.get(f"/api/teams?member={user.uid}")

    assert [row["id"] for row in answer.json()["data"]] == [str(member.team.uid)]


def test_a_member_of_another_account_looks_missing(native):
    stranger = UserFactory()

    answer = native.post(
        "/api/teams", {"name": "North", "members": [{"user": str(stranger.uid)}]}, format="json"
    )

    assert answer.status_code == 422
    assert answer.json()["error"]["details"] == {
        "members.0.user": [f"There is no user with the id '{stranger.uid}'"]
    }
    assert not Team.objects.exists()


def test_a_deleted_team_leaves_its_members_in_the_account(native, account, user):
    member = TeamMemberFactory(account=account, user=user)

    answer = native.delete(f"/api/teams/{member.team.uid}")

    assert answer.status_code == 204
    assert not Team.objects.exists()
    assert native.get(f"/api/users/{user.uid}").status_code == 200


def test_only_administrators_change_teams(client, account, seller):
    team = TeamFactory(account=account, name="North")
    client.force_login(seller)

    answer = client.patch(f"/api/teams/{team.uid}", {"name": "South"}, content_type="application/json")

    assert answer.status_code == 403
    assert Team.objects.get().name == "North"
