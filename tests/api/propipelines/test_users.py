"""The people of the account: listed, invited, read and disabled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from pipelime.accounts.keys import issue_token
from pipelime.accounts.models import Notice, User
from pipelime.accounts.people import disable_user, enable_user
from pipelime.accounts.teams import create_team
from pipelime.api.propipelines.parameters import moment
from pipelime.events.models import Event
from tests.factories import UserFactory

NO_PRIVILEGES = {
    "error": 401,
    "message": "Unauthorized: the user has not the privileges to do this action.",
    "type": "unauthorized_privileges",
}
UNPROCESSABLE = "Unprocessable -- Unable to perform your request: "
NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)


@pytest.fixture
def john(account):
    return UserFactory(
        account=account, email="john.doe@mycompany.com", first_name="John", last_name="Doe",
        phone="+33 1 12 23 34 45", mobile_phone="+33 6 56 67 78 89", job_title="CEO", im_type="Skype",
        im="john.doe", time_zone="America/Denver", activated_at=NOW,
    )  # fmt: skip


def shape(user, **changed) -> dict:
    user.refresh_from_db()
    return {
        "id": user.pk, "lastname": "Doe", "firstname": "John", "email": "john.doe@mycompany.com",
        "phone": "+33 1 12 23 34 45", "mobile_phone": "+33 6 56 67 78 89", "job_title": "CEO",
        "im_type": "Skype", "im": "john.doe", "updated_at": moment(user.updated_at),
        "created_at": moment(user.created_at), "is_admin": False, "has_activated": True,
        "is_disabled": False, "locale": "en", "time_zone": "America/Denver",
        "permalink": f"https://crm.example.com/users/{user.pk}", **changed,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def address(settings):
    settings.PIPELIME_URL = "https://crm.example.com"


def emails(client, query: str) -> list[str]:
    answer = client.get(f"/api/v2/users{query}")
    assert answer.status_code == 200
    assert answer["X-TOTAL-COUNT"] == str(len(answer.json()))
    return [user["email"].partition("@")[0] for user in answer.json()]


def test_people_are_listed_with_their_teams(program, account, user, john):
    team = create_team(account, by=user, name="North", members=[(john, True)])

    answer = program.get("/api/v2/users?firstname=john").json()

    assert answer == [shape(john, teams=[{"id": team.pk, "name": "North", "is_manager": True}])]


def test_without_a_zone_of_one_s_own_one_has_the_account_s(program, account, user):
    account.time_zone = "Europe/Paris"
    account.save()

    assert program.get(f"/api/v2/users/{user.pk}").json()["time_zone"] == "Europe/Paris"


@pytest.fixture
def people(account, user):
    """ada (who asks), bob (disabled), cleo (invited, in North and South), dan (administrator, in South)."""
    User.objects.filter(pk=user.pk).update(email="ada@example.com", activated_at=NOW, last_name="Lovelace")
    bob = UserFactory(account=account, email="bob@example.com", activated_at=NOW, first_name="Bob")
    disable_user(bob, by=user)
    cleo = UserFactory(account=account, email="cleo@example.com", first_name="Cleo", last_name="Lovelace")
    dan = UserFactory(account=account, email="dan@example.com", activated_at=NOW, is_admin=True)
    UserFactory(email="eve@example.com", last_name="Lovelace")
    return {
        "north": create_team(account, by=user, name="North", members=[(cleo, False)]).pk,
        "south": create_team(account, by=user, name="South, East", members=[(cleo, True), (dan, False)]).pk,
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["ada", "bob", "cleo", "dan"]),
        ("?direction=asc", ["ada", "bob", "cleo", "dan"]),
        ("?direction=desc", ["dan", "cleo", "bob", "ada"]),
        ("?email=cleo@example.com", ["cleo"]),
        ("?email=Cleo@Example.com", ["cleo"]),
        ("?email=cleo", []),
        ("?email=eve@example.com", []),
        ("?lastname=lovelace", ["ada", "cleo"]),
        ("?firstname=Bob", ["bob"]),
        ("?firstname=Cleo&lastname=Lovelace", ["cleo"]),
        ("?status=all", ["ada", "bob", "cleo", "dan"]),
        ("?status=activated", ["ada", "dan"]),
        ("?status=deactivated", ["bob"]),
        ("?role=all", ["ada", "bob", "cleo", "dan"]),
        ("?role=admin", ["ada", "dan"]),
        ("?role=non-admin", ["bob", "cleo"]),
        ("?role=admin&status=activated&direction=desc", ["dan", "ada"]),
        ("?teams[]={north}", ["cleo"]),
        ("?teams[]=North&teams[]={south}", ["cleo", "dan"]),
        ("?teams=North,{south}", ["cleo", "dan"]),
        ("?teams[]=South, East", ["cleo", "dan"]),
        ("?teams[]=West", []),
        ("?shoe_size=43", ["ada", "bob", "cleo", "dan"]),
        ("?email=&lastname=&firstname=&status=&role=&teams=&direction=", ["ada", "bob", "cleo", "dan"]),
    ],
)
def test_people_are_found(program, people, query, found):
    assert emails(program, query.format(**people)) == found


@pytest.mark.parametrize("query", ["status=1", "role=manager", "direction=up", "email=%00", "lastname=%00"])
def test_an_unknown_choice_is_not_recognized(program, query):
    answer = program.get(f"/api/v2/users?{query}")

    name = query.partition("=")[0]
    assert (answer.status_code, answer.json()["message"]) == (400, f"Parameter {name} not recognized.")


def test_twenty_people_take_as_many_queries_as_one(account, user, queries):
    create_team(account, by=user, name="First", members=[(user, False)])
    one = queries("/api/v2/users")

    for number in range(20):
        create_team(account, by=user, name=str(number), members=[(UserFactory(account=account), False)])

    assert queries("/api/v2/users") == one


def test_somebody_is_invited_without_a_mail(program, account, user):
    account.locale = "fr"
    account.save()
    given = {
        "lastname": "Einstein", "firstname": "Albert", "email": "Albert.Einstein@genius.com",
        "is_admin": "true",
    }  # fmt: skip

    answer = program.post("/api/v2/users", given, format="json")

    albert = User.objects.get(email="albert.einstein@genius.com")
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": albert.pk, "lastname": "Einstein", "firstname": "Albert",
            "email": "albert.einstein@genius.com", "phone": "", "mobile_phone": "", "job_title": "",
            "im_type": "", "im": "", "updated_at": moment(albert.updated_at),
            "created_at": moment(albert.created_at), "is_admin": True, "has_activated": False,
            "is_disabled": False, "locale": "fr", "time_zone": "UTC",
            "permalink": f"https://crm.example.com/users/{albert.pk}",
        },
    )  # fmt: skip
    assert not albert.has_usable_password()
    assert not Notice.objects.exists()
    assert Event.objects.get(name="user.invited").actor == user


@pytest.mark.parametrize(
    ("given", "mails"),
    [({"dont_send_email": False}, 1), ({"dont_send_email": "false"}, 1), ({"dont_send_email": True}, 0),
     ({"dont_send_email": None}, 0), ({}, 0)],
)  # fmt: skip
def test_a_mail_goes_only_where_it_is_asked_for(program, given, mails):
    answer = program.post("/api/v2/users", {"email": "new@example.com", **given}, format="json")

    assert answer.json()["is_admin"] is False
    assert Notice.objects.filter(to="new@example.com").count() == mails


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({}, 422, "Missing required parameter: email"),
        ({"email": "nobody"}, 422, f"{UNPROCESSABLE}Enter a valid email address."),
        ({"email": "a@b.com", "is_admin": "perhaps"}, 400, "Parameter is_admin not recognized."),
        ({"email": "a@b.com", "dont_send_email": 2}, 400, "Parameter dont_send_email not recognized."),
        ({"email": "a@b.com", "lastname": ["x"]}, 422, f"{UNPROCESSABLE}lastname: must be text, not list"),
    ],
)  # fmt: skip
def test_a_wrong_value_invites_nobody(program, given, status, message):
    before = User.objects.count()

    answer = program.post("/api/v2/users", given, format="json")

    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert User.objects.count() == before


def test_a_disabled_person_s_address_stays_taken(program, user, john):
    disable_user(john, by=user)

    answer = program.post("/api/v2/users", {"email": "JOHN.DOE@mycompany.com"}, format="json")

    assert (answer.status_code, answer.json()) == (
        422,
        {
            "error": 422,
            "message": "Unprocessable -- Unable to perform your request: The address "
            "john.doe@mycompany.com cannot be used: it belongs to John Doe, who is disabled and can be "
            "enabled again",
            "type": "unprocessable",
        },
    )


def test_of_a_stranger_s_address_nothing_is_told(program, stranger):
    answer = program.post("/api/v2/users", {"email": stranger.email}, format="json")

    assert (answer.status_code, answer.json()["message"]) == (
        422,
        f"{UNPROCESSABLE}The address {stranger.email} cannot be used",
    )


def test_a_person_is_read_by_id_or_address(logged_in, seller, john):
    for name in (john.pk, "john.doe@mycompany.com", "John.Doe%40mycompany.com"):
        assert logged_in(seller).get(f"/api/v2/users/{name}").json() == shape(john)


def test_a_stranger_looks_missing(program, stranger):
    for name in (stranger.pk, stranger.email, 987654321, "nobody", "%00"):
        assert program.get(f"/api/v2/users/{name}").status_code == 404


def test_the_activation_is_mailed_to_who_has_not_activated_yet(program, account):
    invited = UserFactory(account=account, email="new@example.com")

    answer = program.get(f"/api/v2/users/{invited.pk}/send_activation_email")

    assert (answer.status_code, answer.content) == (200, b"")
    assert Notice.objects.get().to == "new@example.com"


def test_who_has_activated_is_not_mailed(program, john):
    answer = program.get(f"/api/v2/users/{john.pk}/send_activation_email")

    assert (answer.status_code, answer.content) == (304, b"")
    assert not Notice.objects.exists()


def test_who_is_disabled_is_not_mailed(program, account, user):
    invited = UserFactory(account=account, first_name="Ida", last_name="")
    disable_user(invited, by=user)

    answer = program.get(f"/api/v2/users/{invited.pk}/send_activation_email")

    assert (answer.status_code, answer.json()["message"]) == (
        422,
        f"{UNPROCESSABLE}Ida is disabled; enable this user before inviting again",
    )
    assert not Notice.objects.exists()


def test_disabling_ends_sessions_and_tokens_and_an_administrator_may_enable_again(
    program, client, user, john
):
    client.force_login(john)
    device = APIClient(headers={"X-USER-TOKEN": issue_token(john)[1]})

    answer = program.put(f"/api/v2/users/{john.pk}/disable")

    assert (answer.status_code, answer.json()) == (200, shape(john, is_disabled=True))
    assert device.get("/api/v2/ping").json()["type"] == "unauthorized_invalid_token"
    assert client.get("/admin/").status_code == 302
    assert Event.objects.get(name="user.disabled").actor == user
    assert program.put(f"/api/v2/users/{john.pk}/disable").status_code == 200  # nothing is left to do

    enable_user(john, by=user)

    assert program.get(f"/api/v2/users/{john.pk}").json()["is_disabled"] is False
    assert device.get("/api/v2/ping").status_code == 401


def test_the_last_administrator_stays(program, user):
    answer = program.put(f"/api/v2/users/{user.pk}/disable")

    assert (answer.status_code, answer.json()["type"]) == (409, "conflict")
    assert User.objects.get(pk=user.pk).is_active


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("post", "users", {"email": "new@example.com"}),
        ("get", "users/{john}/send_activation_email", None),
        ("put", "users/{john}/disable", None),
    ],
)
def test_only_administrators_manage_people(logged_in, user, seller, john, method, path, given):
    path = f"/api/v2/{path.format(john=john.pk)}"

    refused = getattr(logged_in(seller), method)(path, given, format="json")
    done = getattr(logged_in(user), method)(path, given, format="json")

    assert (refused.status_code, refused.json()) == (401, NO_PRIVILEGES)
    assert done.status_code in (200, 201, 304)


def test_a_token_that_has_expired_is_no_token(user):
    token, raw = issue_token(user)
    token.expires_at = timezone.now() - timedelta(seconds=1)
    token.save()

    answer = APIClient(headers={"X-USER-TOKEN": raw}).get("/api/v2/users")

    assert (answer.status_code, answer.json()) == (
        401,
        {"error": 401, "message": "Unauthorized: api key invalid", "type": "unauthorized_invalid_token"},
    )
