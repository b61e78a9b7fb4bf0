"""Logging in, as somebody else, and out; a key that revokes itself."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from rest_framework.test import APIClient

from pipelime.accounts.keys import create_key, issue_token
from pipelime.accounts.models import ApiKey, UserToken
from pipelime.accounts.people import disable_user, make_user
from pipelime.events.models import Event
from pipelime.scope import every_account
from tests.factories import AccountFactory, UserFactory

PASSWORD = "correct horse % battery"


@pytest.fixture
def stef(account):
    """Somebody who can log in with a password."""
    account.currency, account.time_zone, account.slug = "USD", "America/Denver", "stone-sales"
    account.save()
    return UserFactory(account=account, email="stef@example.com", password=make_password(PASSWORD))


def basic(email: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


def log_in(email="stef@example.com", password=PASSWORD, **headers):
    return APIClient().get("/api/v2/auth/login", headers={"Authorization": basic(email, password), **headers})


def ping(token: str):
    return APIClient().get("/api/v2/ping", headers={"X-USER-TOKEN": token})


def test_a_program_logs_in_as_a_person(program, stef):
    answer = program.get(f"/api/v2/auth/log_as?user_id={stef.pk}")

    token = answer.json()["token"]
    assert answer.status_code == 200
    assert answer.json() == {
        "token": token, "slug": "stone-sales", "locale": "en", "time_zone": "America/Denver",
        "user_id": stef.pk, "user_email": "stef@example.com", "is_admin": False,
        "currency": {"code": "USD", "symbol": "$"},
    }  # fmt: skip
    assert ping(token).status_code == 200


@pytest.mark.parametrize(
    ("code", "symbol"), [("EUR", "€"), ("GBP", "£"), ("CHF", "CHF"), ("BRL", "R$"), ("XAF", "XAF")]
)
def test_a_currency_goes_by_its_symbol_or_else_by_its_code(program, account, stef, code, symbol):
    account.currency = code
    account.save()

    answer = program.get("/api/v2/auth/log_as?user_id=Stef@Example.com").json()

    assert answer["currency"] == {"code": code, "symbol": symbol}


def test_the_zone_of_a_person_comes_before_the_account_s(program, stef):
    stef.time_zone = "Europe/Paris"
    stef.save()

    assert program.get(f"/api/v2/auth/log_as?user_id={stef.pk}").json()["time_zone"] == "Europe/Paris"


def test_nobody_is_logged_in_who_is_unknown_disabled_or_of_another_account(program, user, seller, stranger):
    disable_user(seller, by=user)

    for name in (
        seller.pk,
        seller.email,
        stranger.pk,
        stranger.email,
        987654321,
        "nobody@example.com",
        "%00",
    ):
        answer = program.get(f"/api/v2/auth/log_as?user_id={name}")
        assert (answer.status_code, answer.json()) == (
            400,
            {
                "error": 400,
                "message": "Parameter user_id not recognized.",
                "type": "parameter_not_recognized",
            },
        )
    assert not UserToken.objects.exists()


def test_logging_in_as_somebody_needs_a_name(program):
    answer = program.get("/api/v2/auth/log_as")

    assert (answer.status_code, answer.json()["type"]) == (422, "missing_parameter")


def test_a_person_does_not_log_in_as_another(logged_in, user, seller):
    answer = logged_in(user).get(f"/api/v2/auth/log_as?user_id={seller.pk}")

    assert (answer.status_code, answer.json()) == (
        401,
        {
            "error": 401,
            "message": "Unauthorized: you cannot use this action with a USER token. "
            "You have to use the API key method to authenticate.",
            "type": "not_api_key",
        },
    )


def test_a_key_with_some_rights_gets_no_token_with_all_of_them(account, user):
    raw = create_key(account, name="part", scopes=["leads:*", "users:*"], by=user)[1]

    answer = APIClient(headers={"X-API-KEY": raw}).get(f"/api/v2/auth/log_as?user_id={user.pk}")

    assert (answer.status_code, answer.json()["type"]) == (401, "unauthorized_privileges")


def test_e_mail_address_and_password_give_a_token(stef):
    answer = log_in()

    assert answer.status_code == 200
    assert list(answer.json()) == [
        "token", "slug", "locale", "time_zone", "user_id", "user_email", "is_admin", "currency",
    ]  # fmt: skip
    assert ping(answer.json()["token"]).status_code == 200
    assert UserToken.objects.get().expires_at - timezone.now() > timedelta(days=29, hours=23)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("STEF@example.com", PASSWORD),
        ("stef%40example.com", PASSWORD),
        ("stef@example.com", "correct%20horse%20%25%20battery"),
    ],
)
def test_what_the_document_says_to_escape_may_be_escaped(stef, email, password):
    assert log_in(email, password).status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("stef@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("stef@example.com\x00", "x"),
    ],
)
def test_a_wrong_login_does_not_say_what_is_wrong(stef, email, password):
    answer = log_in(email, password)

    assert (answer.status_code, answer.json()) == (
        401,
        {"error": 401, "message": "Invalid login or password", "type": "invalid_login"},
    )
    assert answer["WWW-Authenticate"] == 'Basic realm="api"'
    assert not UserToken.objects.exists()


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !", "Bearer ki_1", "Basic " + base64.b64encode(b"\xff:x").decode()]
)
def test_without_basic_authentication_nobody_logs_in(stef, header):
    answer = APIClient().get("/api/v2/auth/login", headers={"Authorization": header})

    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid login or password")


def test_a_key_is_no_login(program):
    assert program.get("/api/v2/auth/login").status_code == 401


def test_who_was_invited_and_set_no_password_cannot_log_in(account):
    make_user(account, email="new@example.com")

    assert log_in("new@example.com", "!").status_code == 401


def test_an_operator_has_nothing_to_log_in_to(db):
    with every_account():
        UserFactory(account=None, email="root@example.com", password=make_password(PASSWORD))

    assert log_in("root@example.com").status_code == 401


def test_a_disabled_person_cannot_log_in(stef, user):
    disable_user(stef, by=user)

    assert log_in().status_code == 401


def test_after_too_many_logins_even_the_right_one_waits(stef, settings):
    settings.LOGIN_ATTEMPTS = 2
    log_in(password="wrong")
    log_in(password="wrong")

    answer = log_in()

    assert (answer.status_code, answer.json()["message"]) == (429, "Too many requests")
    assert answer["API-RETRY-AFTER"] == "900"
    assert log_in("other@example.com").status_code == 401


def test_an_account_that_is_suspended_lets_nobody_in(account, stef):
    account.suspended_at = timezone.now()
    account.save()

    assert (log_in().status_code, log_in().json()["type"]) == (402, "suspended_account")
    assert log_in(password="wrong").status_code == 401


def test_logging_out_ends_that_token_only(stef):
    token, other = issue_token(stef)[1], issue_token(stef)[1]

    answer = APIClient().get("/api/v2/auth/logout", headers={"X-USER-TOKEN": token})

    assert (answer.status_code, answer.content) == (200, b"")
    assert ping(token).status_code == 401
    assert ping(other).status_code == 200


def test_logging_in_and_out_opens_the_right_account_by_itself(db):
    account = AccountFactory(slug="elsewhere")
    UserFactory(account=account, email="stef@example.com", password=make_password(PASSWORD))

    token = log_in().json()["token"]
    answer = APIClient().get("/api/v2/auth/logout", headers={"X-USER-TOKEN": token})

    assert answer.status_code == 200
    with every_account():
        assert not UserToken.objects.exists()


def test_logging_out_again_does_nothing(stef):
    expired, raw = issue_token(stef)
    expired.expires_at = timezone.now() - timedelta(seconds=1)
    expired.save()

    for token in (raw, "unknown"):
        answer = APIClient().get("/api/v2/auth/logout", headers={"X-USER-TOKEN": token})
        assert (answer.status_code, answer.content) == (304, b"")
    assert ping(raw).status_code == 401


def test_a_key_has_nothing_to_log_out_of(program):
    assert (program.get("/api/v2/auth/logout").status_code, program.get("/api/v2/ping").status_code) == (
        304,
        200,
    )


def test_nobody_logs_out_without_a_credential(db):
    none, wrong = APIClient(), APIClient(headers={"X-API-KEY": "ki_wrong"})

    assert none.get("/api/v2/auth/logout").json()["type"] == "unauthorized_missing_token"
    assert wrong.get("/api/v2/auth/logout").json()["type"] == "unauthorized_invalid_token"


def test_disabling_a_person_ends_the_tokens_a_program_got_for_them(program, user, seller):
    token = program.get(f"/api/v2/auth/log_as?user_id={seller.pk}").json()["token"]

    disable_user(seller, by=user)

    assert ping(token).json()["type"] == "unauthorized_invalid_token"


@pytest.mark.parametrize("scopes", [["*"], ["leads:read"]])
def test_a_key_revokes_itself(account, user, scopes):
    key, raw = create_key(account, name="Connector", scopes=scopes, by=user)
    client = APIClient(headers={"X-API-KEY": raw})

    answer = client.post("/api/v2/auth/revoke_api_key")

    assert (answer.status_code, answer.content) == (200, b"")
    assert client.get("/api/v2/ping").status_code == 401
    assert not ApiKey.objects.filter(pk=key.pk).exists()
    assert Event.objects.get(name="api_key.revoked").actor_name == "API key Connector"


def test_a_person_revokes_no_key_this_way(logged_in, user, raw_key):
    answer = logged_in(user).post("/api/v2/auth/revoke_api_key")

    assert (answer.status_code, answer.json()["type"]) == (401, "not_api_key")
    assert ApiKey.objects.count() == 1
