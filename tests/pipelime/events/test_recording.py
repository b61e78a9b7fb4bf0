"""An event is written with its change, or not at all."""

from __future__ import annotations

import pytest
from django.db import transaction

from pipelime.accounts.keys import create_key
from pipelime.accounts.models import Account
from pipelime.events import recording
from pipelime.events.models import Event
from pipelime.events.recording import record, record_all, record_changes
from pipelime.scope import ScopeViolation, account_scope, every_account
from tests.factories import AccountFactory, TeamFactory


@pytest.fixture
def heard(monkeypatch) -> list[list[Event]]:
    """What subscribers were called with, batch by batch."""
    batches: list[list[Event]] = []
    monkeypatch.setattr(recording, "subscribers", lambda: [batches.append])
    return batches


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused():
    account = AccountFactory()

    with account_scope(account), pytest.raises(RuntimeError, match="transaction of the change"):
        record("account.updated", account, by=None)

    with every_account():
        assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_goes_when_its_change_is_rolled_back():
    account = AccountFactory()

    with account_scope(account), pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
        record("account.updated", account, by=None)
        raise ZeroDivisionError

    with every_account():
        assert not Event.objects.exists()


def test_an_event_tells_who_did_what_to_what(account, user):
    team = TeamFactory(account=account, name="North")

    record("team.updated", team, by=user, changes={"name": ["South", "North"]})

    event = Event.objects.get()
    assert (event.account_id, event.name) == (account.pk, "team.updated")
    assert (event.actor_id, event.actor_name) == (user.pk, user.name)
    assert (event.subject_type, event.subject_id, event.subject_uid) == ("team", team.pk, team.uid)
    assert event.data == {
        "object": {"id": str(team.uid), "number": team.pk, "name": "North"},
        "changes": {"name": ["South", "North"]},
    }


def test_a_key_is_named_and_the_machine_has_no_name(account, user):
    key, _ = create_key(account, name="Zapier", scopes=["*"], by=user)
    Event.objects.all().delete()
    team = TeamFactory(account=account)

    record("team.updated", team, by=key)
    record("team.updated", team, by=None)

    assert list(Event.objects.order_by("pk").values_list("actor_id", "actor_name")) == [
        (None, "API key Zapier"),
        (None, ""),
    ]


def test_the_account_is_the_subject_and_the_owner_of_its_own_events(account):
    record("account.updated", account, by=None)

    event = Event.objects.get()
    assert (event.account_id, event.subject_type, event.subject_id) == (account.pk, "account", account.pk)


def test_an_object_given_by_the_caller_replaces_the_snapshot(account):
    record("team.deleted", TeamFactory(account=account), by=None, object={"name": "Gone"})

    assert Event.objects.get().data == {"object": {"name": "Gone"}}


@pytest.mark.parametrize("count", [1, 2, 30], ids=["one", "a few", "enough for a bulk copy"])
def test_many_events_are_stored_in_their_order_and_told_as_one_batch(count, account, heard):
    teams = [TeamFactory(account=account) for _ in range(count)]

    events = record_all("team.created", [(team, {"n": n}) for n, team in enumerate(teams)], by=None)

    stored = list(Event.objects.order_by("pk"))
    assert [(event.pk, event.uid) for event in stored] == [(event.pk, event.uid) for event in events]
    assert [event.subject_id for event in stored] == [team.pk for team in teams]
    assert [event.data["n"] for event in stored] == list(range(count))
    assert heard == [events]


def test_what_a_save_changed_is_shared_out_over_events_of_one_batch_and_moment(account, user, heard):
    team = TeamFactory(account=account, name="Sales")
    changed = {"name": ["Old", "Sales"], "region": ["", "North"], "manager": [None, "Ada"]}

    events = record_changes(team, changed, by=user, events={"manager": "team.assigned"}, other="team.updated")

    assert [(event.name, event.data["changes"]) for event in events] == [
        ("team.updated", {"name": ["Old", "Sales"], "region": ["", "North"]}),
        ("team.assigned", {"manager": [None, "Ada"]}),
    ]
    assert {(event.at, event.data["object"]["name"]) for event in events} == {(events[0].at, "Sales")}
    assert heard == [events]


def test_no_facts_tell_nobody(account, heard):
    assert record_all("team.created", [], by=None) == []

    assert heard == []


@pytest.mark.django_db(transaction=True)
def test_a_subscriber_writes_in_the_transaction_of_the_change(monkeypatch):
    account = AccountFactory(name="before")

    def rename(events) -> None:
        Account.objects.filter(pk=events[0].account_id).update(name="after")
        raise LookupError("the subscriber failed")

    monkeypatch.setattr(recording, "subscribers", lambda: [rename])

    with account_scope(account), pytest.raises(LookupError), transaction.atomic():
        record("account.updated", account, by=None)

    with every_account():
        assert not Event.objects.exists()
    account.refresh_from_db()
    assert account.name == "before"


def test_an_event_about_another_account_s_row_is_refused(account):
    theirs = TeamFactory(account=AccountFactory())

    with pytest.raises(ScopeViolation, match="Event of account"):
        record("team.updated", theirs, by=None)

    assert not Event.objects.exists()
