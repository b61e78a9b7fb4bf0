"""A new account: what it begins with, and the command that opens one."""

import json

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from crm.models import ActivityType, Field, Pipeline, Step
from crm.opening import open_account
from pipelime.accounts.keys import find_key
from pipelime.accounts.models import Account, User
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from pipelime.scope import account_scope, every_account

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def opened_named(name, email="ada@example.com"):
    return open_account(name, email=email, password=PASSWORD)


def test_a_new_account_is_ready_to_work():
    opened = opened_named("Analytical Engines")

    with account_scope(opened.account):
        assert [step.name for step in Step.objects.filter(pipeline=Pipeline.objects.get(name="Sales"))] == [
            "Incoming",
            "In-touch",
            "Qualification",
            "Proposal",
            "Closing",
        ]
        assert list(ActivityType.objects.values_list("name", "parent__name", "kind")) == [
            ("Call", None, "call"),
            ("Answered", "Call", "call"),
            ("Unanswered", "Call", "call"),
            ("E-mail", None, "email"),
            ("Meeting", None, "meeting"),
        ]
        leads = Field.objects.filter(kind="lead").values_list("name", flat=True)
        assert list(leads) == [
            *("Firstname", "Lastname", "Full name", "Email", "Phone", "Mobile", "Address", "Web", "Job"),
        ]
        assert list(Field.objects.filter(kind="company").values_list("name", flat=True)) == [
            "Address",
            "Billing address",
        ]
        assert list(Event.objects.order_by("pk").values_list("name", flat=True)) == [
            "account.created",
            "api_key.created",
        ]


def test_the_fields_of_a_new_account_stand_for_something_and_some_find_duplicates():
    opened = opened_named("Engines")

    with account_scope(opened.account):
        fields = list(Field.objects.values_list("kind", "name", "meaning", "type", "is_key"))
    assert fields == [
        ("company", "Address", "address", "text", False),
        ("company", "Billing address", "", "text", False),
        ("lead", "Firstname", "first_name", "text", False),
        ("lead", "Lastname", "last_name", "text", False),
        ("lead", "Full name", "full_name", "text", False),
        ("lead", "Email", "email", "email", True),
        ("lead", "Phone", "phone", "phone", True),
        ("lead", "Mobile", "mobile", "phone", True),
        ("lead", "Address", "address", "text", False),
        ("lead", "Web", "web", "url", False),
        ("lead", "Job", "job", "text", False),
    ]


def test_the_first_person_is_an_administrator_who_can_log_in():
    opened = opened_named("Engines")

    user = authenticate(email="Ada@example.com", password=PASSWORD)
    assert user == opened.user
    assert user.is_admin
    assert user.activated_at is not None


def test_the_key_opens_the_account():
    opened = opened_named("Engines")

    key = find_key(opened.raw_key)
    assert (key.account, key.scopes) == (opened.account, ["*"])


def test_two_accounts_of_one_name_have_different_slugs():
    first, second = opened_named("Émile & Co"), opened_named("Émile & Co", "b@example.com")

    assert first.account.slug == "emile-co"
    assert second.account.slug.startswith("emile-co-")


def test_a_name_without_letters_has_a_slug():
    assert opened_named("株式会社").account.slug == "account"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"password": "short"}, "password"),
        ({"email": "no address"}, "email"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"plan": "free"}, "plan"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_value_opens_nothing(facts, field):
    given = {"name": "Engines", "email": "ada@example.com", "password": PASSWORD, **facts}

    with pytest.raises(Invalid) as refusal:
        open_account(given.pop("name"), **given)

    assert list(refusal.value.fields) == [field]
    assert not Account.objects.exists()


def test_an_address_in_use_opens_nothing_and_tells_nothing():
    opened_named("First")

    with pytest.raises(Conflict, match=r"The address ada@example\.com cannot be used") as conflict:
        opened_named("Second")

    assert conflict.value.existing is None
    assert Account.objects.count() == 1


def test_the_command_answers_in_json(capsys):
    call_command(
        "create_account", "Engines", email="ada@example.com", password=PASSWORD, plan="starter", json=True
    )

    answer = json.loads(capsys.readouterr().out)
    with every_account():
        account, user = Account.objects.get(), User.objects.get()
    assert answer == {
        "account": {"id": account.pk, "slug": "engines", "name": "Engines"},
        "user": {"id": user.pk, "email": "ada@example.com"},
        "api_key": answer["api_key"],
    }
    assert find_key(answer["api_key"]).account == account
    assert account.plan == "starter"


def test_the_command_answers_in_words(capsys):
    call_command("create_account", "Engines", email="ada@example.com", password=PASSWORD)

    words = capsys.readouterr().out
    assert words.startswith("The account Engines (engines) is open.\nLog in as ada@example.com.\n")
    assert "ki_" in words


def test_the_command_says_in_words_what_is_wrong():
    with pytest.raises(CommandError, match="too short"):
        call_command("create_account", "Engines", email="ada@example.com", password="short", json=True)
