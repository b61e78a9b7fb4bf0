"""The account's own settings over the API."""

import pytest

from pipelime.accounts.models import Account
from tests.api.moments import in_full


def patch(native, body: dict):
    return native.patch("/api/account", body, format="json")


def test_an_account_is_answered_in_full(native, account):
    answer = native.get("/api/account")

    assert answer.json() == {
        "id": str(account.uid),
        "name": account.name,
        "slug": account.slug,
        "plan": "enterprise",
        "time_zone": "UTC",
        "locale": "en",
        "currency": "EUR",
        "postal_address": "1 Test Street, 12345 Testville",
        "lead_visibility": "everyone",
        "settings": {},
        "created_at": in_full(account.created_at),
        "updated_at": in_full(account.updated_at),
    }


def test_a_change_is_kept(native, account):
    answer = patch(
        native, {"postal_address": "1 Main Street", "time_zone": "Europe/Paris", "currency": "usd"}
    )

    stored = Account.objects.get(pk=account.pk)
    assert answer.status_code == 200
    assert (answer.json()["postal_address"], stored.postal_address) == ("1 Main Street", "1 Main Street")
    assert (stored.time_zone, stored.currency) == ("Europe/Paris", "USD")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"plan": "starter"}, "plan"),
        ({"slug": "other"}, "slug"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"currency": "EURO"}, "currency"),
        ({"lead_visibility": "nobody"}, "lead_visibility"),
        ({"name": ""}, "name"),
        ({"settings": {"requests_per_minute": 0}}, "settings.requests_per_minute"),
        ({"settings": {"requests_per_minute": 601}}, "settings.requests_per_minute"),
        ({"settings": {"requests_per_day": 0}}, "settings.requests_per_day"),
        ({"settings": {"requests_per_day": 2001}}, "settings.requests_per_day"),
        ({"settings": {"mails_a_day": 0}}, "settings.mails_a_day"),
        ({"settings": {"anything": 1}}, "settings.anything"),
    ],
)
def test_a_mistake_is_named_by_its_place(native, account, body, field):
    answer = patch(native, body)

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == [field]
    assert Account.objects.get(pk=account.pk).updated_at == account.updated_at


def test_an_account_may_ask_for_a_lower_limit_and_take_it_back(native):
    patch(native, {"settings": {"requests_per_minute": 5}})
    lowered = native.get("/api/account")
    patch(native, {"settings": {"requests_per_minute": None}})

    assert (lowered.json()["settings"], lowered.headers["X-RateLimit-Limit"]) == (
        {"requests_per_minute": 5},
        "5",
    )
    assert native.get("/api/account").headers["X-RateLimit-Limit"] == "600"


def test_the_daily_limits_of_mails_are_set_and_taken_back(native):
    patch(native, {"settings": {"mails_a_day": 300, "mails_per_domain_a_day": 5}})
    limited = native.get("/api/account").json()["settings"]
    patch(native, {"settings": {"mails_a_day": None}})

    assert limited == {"mails_a_day": 300, "mails_per_domain_a_day": 5}
    assert native.get("/api/account").json()["settings"] == {"mails_per_domain_a_day": 5}


def test_people_read_the_account_and_administrators_change_it(client, account, seller):
    client.force_login(seller)

    read = client.get("/api/account")
    change = client.patch("/api/account", {"name": "Mine"}, content_type="application/json")

    assert (read.status_code, change.status_code) == (200, 403)
    assert Account.objects.get(pk=account.pk).name == account.name
