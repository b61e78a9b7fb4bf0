"""Activity types, tag categories and fields on the pages of the workspace."""

from __future__ import annotations

from crm.models import ActivityType, Field, Tag, TagCategory
from tests import factories
from tests.backoffice.rows import address


def test_an_activity_type_is_made_with_its_outcomes(browser):
    browser.post(
        address(ActivityType, "add"),
        {"name": "Call", "kind": "call", "outcomes-TOTAL_FORMS": 2, "outcomes-INITIAL_FORMS": 0,
         "outcomes-0-name": "No answer", "outcomes-1-name": ""},
    )  # fmt: skip

    call = ActivityType.objects.get(parent=None)
    assert (call.name, call.kind) == ("Call", "call")
    assert [outcome.name for outcome in call.outcomes.all()] == ["No answer"]


def test_outcomes_are_renamed_disabled_and_deleted_on_the_page_of_their_type(browser, account):
    call = factories.ActivityTypeFactory(account=account, name="Call", kind="call")
    busy, gone = (
        factories.ActivityTypeFactory(account=account, name=name, kind="call", parent=call)
        for name in ("Busy", "Gone")
    )

    browser.post(
        address(ActivityType, "change", call.pk),
        {"name": "Call", "kind": "call", "outcomes-TOTAL_FORMS": 2, "outcomes-INITIAL_FORMS": 2,
         "outcomes-0-id": busy.pk, "outcomes-0-parent": call.pk, "outcomes-0-name": "Engaged",
         "outcomes-0-is_disabled": "on",
         "outcomes-1-id": gone.pk, "outcomes-1-parent": call.pk, "outcomes-1-name": "Gone",
         "outcomes-1-DELETE": "on"},
    )  # fmt: skip

    [outcome] = call.outcomes.all()
    assert (outcome.name, outcome.is_disabled) == ("Engaged", True)


def test_predefined_tags_are_added_to_their_category_and_taken_out(browser, account):
    browser.post(
        address(TagCategory, "add"),
        {"name": "Origin", "is_required": "on", "tags-TOTAL_FORMS": 2, "tags-INITIAL_FORMS": 0,
         "tags-0-name": "Europe", "tags-0-position": 1, "tags-1-name": "Asia", "tags-1-position": 2},
    )  # fmt: skip
    category = TagCategory.objects.get()
    europe, asia = category.tags.order_by("position")

    browser.post(
        address(TagCategory, "change", category.pk),
        {"name": "Origin", "is_required": "on", "tags-TOTAL_FORMS": 2, "tags-INITIAL_FORMS": 2,
         "tags-0-id": europe.pk, "tags-0-category": category.pk, "tags-0-name": "EU", "tags-0-position": 1,
         "tags-1-id": asia.pk, "tags-1-category": category.pk, "tags-1-name": "Asia", "tags-1-DELETE": "on"},
    )  # fmt: skip

    assert [tag.name for tag in category.tags.all()] == ["EU"]
    assert Tag.objects.get(name="Asia").category is None


def test_a_tag_is_renamed_by_administrators(browser, account):
    tag = factories.TagFactory(account=account, name="hot")

    browser.post(address(Tag, "change", tag.pk), {"name": "Hot!"})

    tag.refresh_from_db()
    assert tag.name == "Hot!"


def test_a_field_takes_the_type_of_its_meaning(browser):
    browser.post(address(Field, "add"), {"kind": "lead", "name": "Work mail", "meaning": "email"})

    field = Field.objects.get()
    assert (field.meaning, field.type) == ("email", "email")
