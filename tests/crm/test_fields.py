"""Custom fields: definitions and the values that records hold."""

import pytest

from crm.fields import check_custom_fields, create_field, delete_field, key_of, update_field
from crm.models import Field
from pipelime.errors import Conflict, Invalid
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
