"""Tags by name, predefined tags and their categories."""

import pytest

from crm.models import Tag, TagCategory
from crm.tags import (
    create_category,
    create_predefined_tag,
    delete_category,
    delete_tag,
    set_tags,
    tags_named,
    update_category,
    update_tag,
)
from pipelime.errors import Conflict, Invalid
from pipelime.events.models import Event
from tests.factories import LeadFactory, TagCategoryFactory, TagFactory


def names_of_events():
    return list(Event.objects.order_by("pk").values_list("name", flat=True))


def test_tags_are_found_whatever_their_case_and_made_when_new(account, user):
    hot = TagFactory(account=account, name="Hot")

    tags = tags_named(account, ["new", "HOT", " hot ", ""], by=user)

    assert tags == [Tag.objects.get(name="new"), hot]
    assert names_of_events() == ["tag.created"]


def test_the_tags_of_a_record_are_replaced(account, user):
    lead = LeadFactory(account=account)
    lead.tags.set([TagFactory(account=account, name="old"), TagFactory(account=account, name="Both")])

    assert set_tags(lead, ["both", "new"], by=user) == {"tags": [["Both", "old"], ["Both", "new"]]}
    assert set_tags(lead, ["NEW", "both"], by=user) == {}
    assert set_tags(lead, None, by=user) == {"tags": [["Both", "new"], []]}


def test_a_category_is_made(account, user):
    category = create_category(account, by=user, name=" Origin ", is_required=True, position=2)

    stored = TagCategory.objects.get()
    assert (stored, stored.name, stored.is_required, stored.position) == (category, "Origin", True, 2)
    assert names_of_events() == ["tag_category.created"]


@pytest.mark.parametrize(
    "facts", [{"name": ""}, {"name": "x" * 101}, {"is_required": "often"}, {"position": -1}]
)
def test_a_wrong_category_is_refused(account, user, facts):
    with pytest.raises(Invalid) as refusal:
        create_category(account, by=user, **{"name": "Origin", **facts})

    assert refusal.value.fields.keys() == facts.keys()


def test_two_categories_have_two_names(account, user):
    category = create_category(account, by=user, name="Origin")
    other = create_category(account, by=user, name="Product")

    with pytest.raises(Conflict, match="'Origin' exists already") as conflict:
        create_category(account, by=user, name="Origin")
    with pytest.raises(Conflict, match="'Origin' exists already"):
        update_category(other, by=user, name="Origin")

    assert conflict.value.existing == str(category.uid)
    assert sorted(TagCategory.objects.values_list("name", flat=True)) == ["Origin", "Product"]


def test_a_category_changes(account, user):
    category = create_category(account, by=user, name="Origin")

    update_category(category, by=user, name="Region", is_required=True)
    update_category(category, by=user, name="Region")

    event = Event.objects.get(name="tag_category.updated")
    assert event.data["changes"] == {"name": ["Origin", "Region"], "is_required": [False, True]}


def test_the_tags_of_a_deleted_category_are_free(account, user):
    category = TagCategoryFactory(account=account)
    tag = create_predefined_tag(account, by=user, name="US", category=category)

    delete_category(category, by=user)

    tag.refresh_from_db()
    assert tag.category is None
    assert names_of_events() == ["tag.created", "tag_category.deleted"]


def test_a_predefined_tag_belongs_to_its_category(account, user):
    category = TagCategoryFactory(account=account, name="Origin")

    tag = create_predefined_tag(account, by=user, name=" United  States ", category=category, position=3)

    stored = Tag.objects.get()
    assert (stored, stored.name, stored.category, stored.position) == (tag, "United States", category, 3)
    assert Event.objects.get().data["object"]["category"] == "Origin"


def test_a_free_tag_joins_the_category(account, user):
    free, category = TagFactory(account=account, name="us"), TagCategoryFactory(account=account)

    tag = create_predefined_tag(account, by=user, name="US", category=category)

    assert (tag, tag.name) == (free, "us")
    assert Tag.objects.get().category == category
    assert names_of_events() == ["tag.updated"]


def test_a_tag_has_one_category(account, user):
    first, second = TagCategoryFactory(account=account, name="Origin"), TagCategoryFactory(account=account)
    tag = create_predefined_tag(account, by=user, name="US", category=first)

    with pytest.raises(Conflict, match="The tag 'US' belongs to the category Origin already") as conflict:
        create_predefined_tag(account, by=user, name="us", category=second)

    assert (conflict.value.existing, conflict.value.number) == (str(tag.uid), tag.pk)
    assert Tag.objects.get().category == first


@pytest.mark.parametrize("name", ["", "  ", None, 5, "x" * 101, "a\x00"])
def test_a_predefined_tag_needs_a_name(account, user, name):
    with pytest.raises(Invalid):
        create_predefined_tag(account, by=user, name=name, category=TagCategoryFactory(account=account))

    assert not Tag.objects.exists()


def test_a_predefined_tag_needs_a_category_of_the_account(account, user):
    with pytest.raises(Invalid, match="needs a category"):
        create_predefined_tag(account, by=user, name="US", category=None)
    with pytest.raises(Invalid, match="There is no such tag category"):
        create_predefined_tag(account, by=user, name="US", category=TagCategoryFactory())


def test_a_tag_is_renamed_and_moved(account, user):
    tag, category = TagFactory(account=account, name="us"), TagCategoryFactory(account=account, name="Origin")

    update_tag(tag, by=user, name="US", category=category, position=1)
    update_tag(tag, by=user, name="US", category=category)

    stored = Tag.objects.get()
    assert (stored.name, stored.name_key, stored.category, stored.position) == ("US", "us", category, 1)
    [event] = Event.objects.all()
    assert event.data["changes"]["name"] == ["us", "US"]
    assert event.data["changes"]["category"][1]["name"] == "Origin"


def test_a_tag_leaves_its_category(account, user):
    tag = create_predefined_tag(
        account, by=user, name="US", category=TagCategoryFactory(account=account), position=1
    )

    update_tag(tag, by=user, category=None)

    assert (Tag.objects.get().category, Tag.objects.get().position) == (None, 1)


def test_a_tag_is_not_renamed_to_another(account, user):
    taken, tag = TagFactory(account=account, name="US"), TagFactory(account=account, name="Asia")

    with pytest.raises(Conflict, match="A tag named 'us' exists already") as conflict:
        update_tag(tag, by=user, name="us")

    assert conflict.value.existing == str(taken.uid)
    assert Tag.objects.get(pk=tag.pk).name == "Asia"


def test_a_deleted_tag_is_on_no_record(account, user):
    lead, tag = LeadFactory(account=account), TagFactory(account=account, name="US")
    lead.tags.add(tag)

    delete_tag(tag, by=user)

    assert list(lead.tags.all()) == []
    assert Event.objects.get().data["object"]["name"] == "US"
