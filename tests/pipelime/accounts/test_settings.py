"""An account's settings, its suspension, and what history keeps of them."""

import pytest

from pipelime.accounts.settings import resume, suspend, update_account
from pipelime.errors import Invalid
from pipelime.events.models import Event


def events():
    return [(event.name, event.data.get("changes")) for event in Event.objects.order_by("pk")]


def test_settings_are_laid_over_the_stored_ones(account, user):
    update_account(account, by=user, settings={"requests_per_minute": 10, "colour": "lime"})
    update_account(account, by=user, settings={"colour": None}, time_zone="Europe/Paris", currency="chf")

    account.refresh_from_db()
    assert account.settings == {"requests_per_minute": 10}
    assert (account.time_zone, account.currency) == ("Europe/Paris", "CHF")
    assert events()[1][1]["time_zone"] == ["UTC", "Europe/Paris"]


def test_an_update_that_changes_nothing_says_nothing(account, user):
    update_account(account, by=user, name=account.name, settings={})

    assert events() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_zone": "Paris"}, "time_zone"),
        ({"currency": "Euro"}, "currency"),
        ({"currency": "E1R"}, "currency"),
        ({"lead_visibility": "nobody"}, "lead_visibility"),
        ({"name": ""}, "name"),
        ({"plan": "enterprise"}, "plan"),
        ({"settings": []}, "settings"),
        ({"settings": {"x": float("nan")}}, "settings"),
    ],
)
def test_a_wrong_setting_changes_nothing(account, user, changes, field):
    with pytest.raises(Invalid) as refusal:
        update_account(account, by=user, **changes)

    assert list(refusal.value.fields) == [field]
    assert events() == []


def test_an_account_is_suspended_and_resumed(account):
    suspend(account, by=None, reason="unpaid")
    suspend(account, by=None)
    assert account.is_suspended

    resume(account, by=None)
    resume(account, by=None)

    account.refresh_from_db()
    assert not account.is_suspended
    assert [name for name, _ in events()] == ["account.suspended", "account.resumed"]
    assert Event.objects.earliest("pk").data["reason"] == "unpaid"
