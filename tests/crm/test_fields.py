"""Custom fields: definitions and the values that records hold."""

import pytest

from crm.fields import check_custom_fields, create_field, delete_field, key_of, update_field
from crm.models import Field
from pipelime.errors import Conflict, Invalid, NotIncluded
from pipelime.events.models import Event


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Budget", "budget"),
        ("Date de création", "date_de_creation"),
        ("2nd phone", "field_2nd_phone"),
        ("!", "field"),
    ],
)
def test_a_key_is_made_from_the_name(name, key):
    assert key_of(name) == key


def test_fields_are_numbered_in_the_order_of_their_making(account, user):
    create_field(account, by=user, kind="contact", name="Budget", type="number")
    create_field(account, by=user, kind="contact", name="Region", is_key=True)

    assert list(Field.objects.values_list("key", "type", "position", "is_key")) == [
        ("budget", "number", 1, False),
        ("region", "text", 2, True),
    ]
    assert Event.objects.filter(name="field.created").count() == 2


@pytest.mark.parametrize("again", [{"name": "Budget"}, {"name": "BUDGET!"}])
def test_a_taken_name_or_key_is_a_conflict(account, user, again):
    field = create_field(account, by=user, kind="contact", name="Budget")

    with pytest.raises(Conflict) as conflict:
        create_field(account, by=user, kind="contact", **again)

    assert conflict.value.existing == str(field.uid)


def test_a_built_in_word_cannot_be_a_contacts_field(account, user):
    with pytest.raises(Invalid, match="built-in"):
        create_field(account, by=user, kind="contact", name="First name")


@pytest.mark.parametrize("facts", [{"kind": "cat"}, {"type": "colour"}, {"key": "No Key"}, {"name": ""}])
def test_a_wrong_definition_is_refused(account, user, facts):
    with pytest.raises(Invalid) as refusal:
        create_field(account, by=user, **{"kind": "lead", "name": "Budget", **facts})

    assert refusal.value.fields.keys() == facts.keys()


def test_a_field_changes_but_not_its_key(account, user):
    field = create_field(account, by=user, kind="lead", name="Budget")

    update_field(field, by=user, name="Money")
    with pytest.raises(Invalid, match="'key' is no field of a field definition"):
        update_field(field, by=user, key="money")

    assert (Field.objects.get().name, Field.objects.get().key) == ("Money", "budget")


@pytest.mark.parametrize(
    ("meaning", "type"),
    [
        ("email", "email"),
        ("mobile", "phone"),
        ("fax", "phone"),
        ("web", "url"),
        ("vat", "text"),
        ("", "text"),
    ],
)
def test_the_type_follows_from_what_a_field_stands_for(account, user, meaning, type):  # noqa: A002
    field = create_field(account, by=user, kind="lead", name="Feld", meaning=meaning)

    assert (field.meaning, Field.objects.get().type) == (meaning, type)


def test_a_field_may_stand_for_nothing_and_have_a_type(account, user):
    field = create_field(account, by=user, kind="lead", name="Mail", type="email")

    assert (field.type, field.meaning) == ("email", "")


@pytest.mark.parametrize(
    ("facts", "field"), [({"meaning": "cat"}, "meaning"), ({"meaning": "email", "type": "number"}, "type")]
)
def test_a_meaning_must_be_known_and_fit_the_type(account, user, facts, field):
    with pytest.raises(Invalid) as refusal:
        create_field(account, by=user, kind="lead", name="Feld", **facts)

    assert list(refusal.value.fields) == [field]
    assert not Field.objects.exists()


def test_what_a_field_stands_for_changes_and_the_type_follows(account, user):
    field = create_field(account, by=user, kind="lead", name="Feld", meaning="email")

    update_field(field, by=user, meaning="mobile")
    update_field(field, by=user, meaning="mobile")

    stored = Field.objects.get()
    assert (stored.meaning, stored.type) == ("mobile", "phone")
    event = Event.objects.get(name="field.updated")
    assert event.data["changes"] == {"meaning": ["email", "mobile"], "type": ["email", "phone"]}


def test_a_chosen_type_stays_when_a_field_stands_for_something(account, user):
    field = create_field(account, by=user, kind="lead", name="Feld", type="number")

    update_field(field, by=user, meaning="zipcode")
    with pytest.raises(Invalid, match="a field that stands for email is of the type email, not number"):
        update_field(field, by=user, meaning="email")

    assert (Field.objects.get().meaning, Field.objects.get().type) == ("zipcode", "number")


def test_the_small_plan_has_no_custom_meanings(account, user):
    plain = create_field(account, by=user, kind="lead", name="Plain")
    kept = create_field(account, by=user, kind="lead", name="Kept", meaning="custom1")
    account.plan = "starter"
    account.save()

    with pytest.raises(NotIncluded, match="need the plan Professional; this account has Starter"):
        create_field(account, by=user, kind="lead", name="New", meaning="custom2")
    with pytest.raises(NotIncluded):
        update_field(Field.objects.get(pk=plain.pk), by=user, meaning="custom5")
    update_field(Field.objects.get(pk=kept.pk), by=user, name="Still", meaning="custom1")

    assert list(Field.objects.values_list("name", "meaning")) == [("Plain", ""), ("Still", "custom1")]


def test_leads_are_read_anew_when_a_lead_field_says_something_else(account, user, monkeypatch):
    told: list[int] = []
    monkeypatch.setattr("crm.fields.fields_changed", told.append)
    field = create_field(account, by=user, kind="lead", name="Feld")
    for changes in (
        {"name": "Field"},
        {"is_key": True},
        {"meaning": "job"},
        {"position": 9},
        {"type": "url"},
    ):
        update_field(field, by=user, **changes)
    delete_field(field, by=user)
    delete_field(create_field(account, by=user, kind="company", name="Feld"), by=user)

    assert told == [account.pk] * 5


def test_a_deleted_field_takes_no_values(account, user):
    field = create_field(account, by=user, kind="lead", name="Budget")

    delete_field(field, by=user)

    with pytest.raises(Invalid, match="known are: none"):
        check_custom_fields(account, "lead", {"budget": 1})


@pytest.mark.parametrize(
    ("type", "given", "stored"),
    [
        ("text", " x ", "x"),
        ("text", 5, 5),
        ("text", "", None),
        ("text", None, None),
        ("number", "12.5", 12.5),
        ("number", "12", 12),
        ("number", 12.5, 12.5),
        ("date", "2030-01-31", "2030-01-31"),
    ],
)
def test_a_value_is_stored_by_the_fields_type(account, user, type, given, stored):  # noqa: A002
    create_field(account, by=user, kind="contact", name="Value", type=type)

    assert check_custom_fields(account, "contact", {"value": given}) == {"value": stored}


@pytest.mark.parametrize(
    ("type", "given"),
    [
        ("number", "many"),
        ("number", "nan"),
        ("number", True),
        ("date", "31.01.2030"),
        ("text", ["a"]),
        ("text", {"a": 1}),
        ("text", float("inf")),
        ("text", "a\x00b"),
        ("text", "x" * 10_001),
    ],
)
def test_a_value_of_another_type_is_refused(account, user, type, given):  # noqa: A002
    create_field(account, by=user, kind="contact", name="Value", type=type)

    with pytest.raises(Invalid, match="value: ") as refusal:
        check_custom_fields(account, "contact", {"value": given})

    assert refusal.value.field == "custom_fields"
