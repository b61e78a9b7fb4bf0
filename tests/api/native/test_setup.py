"""What an account sets up, over the API: activity types, tags and their categories, fields."""

from crm.models import ActivityType, Field, Tag, TagCategory
from tests.factories import ActivityTypeFactory, TagCategoryFactory, TagFactory


def test_an_activity_type_has_outcomes(native):
    call = native.post("/api/activity-types", {"name": "Call", "kind": "call"}, format="json").json()
    outcome = native.post(
        "/api/activity-types", {"name": "No answer", "parent": call["id"]}, format="json"
    ).json()
    shown = native.get(f"/api/activity-types/{call['id']}").json()

    assert (outcome["parent"], outcome["kind"]) == ({"id": call["id"], "name": "Call"}, "call")
    assert shown["outcomes"] == [{"id": outcome["id"], "name": "No answer"}]
    assert [row["id"] for row in native.get("/api/activity-types?is_outcome=false").json()["data"]] == [
        call["id"]
    ]


def test_an_activity_type_is_disabled_and_deleted(native, account):
    kind = ActivityTypeFactory(account=account, name="Fax")

    disabled = native.patch(f"/api/activity-types/{kind.uid}", {"is_disabled": True}, format="json")
    deleted = native.delete(f"/api/activity-types/{kind.uid}")

    assert disabled.json()["is_disabled"] is True
    assert deleted.status_code == 204
    assert not ActivityType.objects.exists()


def test_a_predefined_tag_is_made_in_a_category(native, account):
    category = native.post(
        "/api/tag-categories", {"name": "Origin", "is_required": True}, format="json"
    ).json()
    tag = native.post("/api/tags", {"name": "Europe", "category": category["id"]}, format="json")

    assert tag.status_code == 201
    assert tag.json()["category"] == {"id": category["id"], "name": "Origin"}
    assert native.get(f"/api/tag-categories/{category['id']}").json()["tags"] == ["Europe"]
    assert category["is_required"] is True


def test_tags_are_listed_by_category(native, account):
    category = TagCategoryFactory(account=account)
    predefined = TagFactory(account=account, category=category)
    free = TagFactory(account=account)

    def ids(query: str) -> list[str]:
        return [row["id"] for row in native.get(f"/api/tags?{query}").json()["data"]]

    assert ids(f"category={category.uid}") == ids("is_predefined=true") == [str(predefined.uid)]
    assert ids("is_predefined=false") == [str(free.uid)]


def test_a_category_goes_and_leaves_its_tags_free(native, account):
    tag = TagFactory(account=account, category=TagCategoryFactory(account=account))

    answer = native.delete(f"/api/tag-categories/{tag.category.uid}")

    assert answer.status_code == 204
    assert not TagCategory.objects.exists()
    assert native.get(f"/api/tags/{tag.uid}").json()["category"] is None


def test_a_tag_is_renamed_and_deleted(native, account):
    tag = TagFactory(account=account, name="hot")

    renamed = native.patch(f"/api/tags/{tag.uid}", {"name": "Hot!"}, format="json")
    deleted = native.delete(f"/api/tags/{tag.uid}")

    assert renamed.json()["name"] == "Hot!"
    assert deleted.status_code == 204
    assert not Tag.objects.exists()


def test_a_field_has_a_meaning_and_a_type_that_fits_it(native):
    made = native.post(
        "/api/fields", {"kind": "lead", "name": "Work mail", "meaning": "email"}, format="json"
    )
    changed = native.patch(f"/api/fields/{made.json()['id']}", {"meaning": ""}, format="json")

    assert made.status_code == 201
    assert (made.json()["meaning"], made.json()["type"]) == ("email", "email")
    assert changed.json()["meaning"] == ""


def test_an_unknown_meaning_is_refused(native):
    answer = native.post("/api/fields", {"kind": "lead", "name": "Hat", "meaning": "hat"}, format="json")

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == ["meaning"]
    assert not Field.objects.exists()
