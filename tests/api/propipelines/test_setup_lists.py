"""What an account is set up with: categories, predefined tags, fields and activities."""

from __future__ import annotations

import pytest

from crm.models import ActivityType, Field, Tag, TagCategory
from pipelime.accounts.models import Account
from pipelime.api.propipelines.parameters import moment
from pipelime.events.models import Event
from tests.factories import ActivityTypeFactory, FieldFactory, TagCategoryFactory, TagFactory

NO_PRIVILEGES = {
    "error": 401,
    "message": "Unauthorized: the user has not the privileges to do this action.",
    "type": "unauthorized_privileges",
}
ADMIN_ONLY = [
    ("category", {"name": "Origin"}),
    ("predefined_tags", {"name": "US", "category_id": 1}),
    ("fields", {"name": "Country", "parent_type": "lead"}),
]


@pytest.fixture
def origin(account):
    return TagCategoryFactory(account=account, name="Origin")


@pytest.mark.parametrize("query", ["", "?include_tags=false", "?include_tags=0"])
def test_categories_are_listed(program, origin, query):
    answer = program.get(f"/api/v2/categories{query}")

    assert answer.json() == [
        {
            "id": origin.pk, "name": "Origin", "is_required": False,
            "updated_at": moment(origin.updated_at), "created_at": moment(origin.created_at),
        }
    ]  # fmt: skip
    assert answer["X-TOTAL-COUNT"] == "1"


def test_categories_are_listed_with_their_tags(program, account, origin):
    product = TagCategoryFactory(account=account, name="Product", position=1)
    last = TagFactory(account=account, name="US", category=origin)
    first = TagFactory(account=account, name="Asia", category=origin, position=1)
    TagFactory(account=account, name="free")

    answer = program.get("/api/v2/categories?include_tags=true").json()

    assert [item["id"] for item in answer] == [product.pk, origin.pk]
    assert answer[0]["supertags"] == []
    assert [tag["id"] for tag in answer[1]["supertags"]] == [first.pk, last.pk]
    assert answer[1]["supertags"][1] == {
        "id": last.pk, "name": "US", "category": "Origin", "created_at": moment(last.created_at),
        "position": None,
    }  # fmt: skip


def test_twenty_categories_take_as_many_queries_as_one(program, account, queries):
    path = "/api/v2/categories?include_tags=true"
    TagFactory(account=account, category=TagCategoryFactory(account=account))
    one = queries(path)

    for _ in range(19):
        TagFactory(account=account, category=TagCategoryFactory(account=account))

    assert queries(path) == one
    assert [len(item["supertags"]) for item in program.get(path).json()] == [1] * 20


def test_a_category_is_made(program, user):
    answer = program.post("/api/v2/category", {"name": "My category"}, format="json")

    made = TagCategory.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": made.pk, "name": "My category", "is_required": False, "updated_at": moment(made.updated_at),
            "created_at": moment(made.created_at), "position": None,
        },
    )  # fmt: skip
    assert Event.objects.get(name="tag_category.created").actor == user


def test_a_category_is_not_made_twice(program, origin):
    answer = program.post("/api/v2/category", {"name": "Origin"}, format="json")

    assert (answer.status_code, answer.json()["id"]) == (409, origin.pk)


def test_predefined_tags_are_those_of_categories(program, account, origin):
    product = TagCategoryFactory(account=account, name="Product")
    phone = TagFactory(account=account, name="Phone", category=product)
    us = TagFactory(account=account, name="US", category=origin)
    TagFactory(account=account, name="free")

    answer = program.get("/api/v2/predefined_tags").json()

    assert answer == [
        {
            "id": tag.pk, "name": tag.name, "category": tag.category.name,
            "created_at": moment(tag.created_at), "position": None, "category_id": tag.category_id,
        }
        for tag in (us, phone)
    ]  # fmt: skip


def test_a_predefined_tag_is_made(program, origin):
    answer = program.post(
        "/api/v2/predefined_tags", {"name": "My tag", "category_id": origin.pk}, format="json"
    )

    made = Tag.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": made.pk, "name": "My tag", "category": "Origin", "created_at": moment(made.created_at),
            "position": None, "category_id": origin.pk,
        },
    )  # fmt: skip


def test_a_tag_in_use_joins_the_category(program, account, origin):
    used = TagFactory(account=account, name="hot")

    answer = program.post(
        "/api/v2/predefined_tags", {"name": "Hot", "category_id": str(origin.pk)}, format="json"
    )

    used.refresh_from_db()
    assert (answer.json()["id"], used.category) == (used.pk, origin)


@pytest.mark.parametrize("missing", ["name", "category_id"])
def test_a_predefined_tag_needs_a_name_and_a_category(program, origin, missing):
    given = {"name": "My tag", "category_id": origin.pk}
    del given[missing]

    answer = program.post("/api/v2/predefined_tags", given, format="json")

    assert (answer.status_code, answer.json()["message"]) == (422, f"Missing required parameter: {missing}")


def test_a_category_elsewhere_is_not_found(program):
    foreign = TagCategoryFactory()

    for number in (foreign.pk, 987654321, "Origin"):
        answer = program.post(
            "/api/v2/predefined_tags", {"name": "My tag", "category_id": number}, format="json"
        )
        assert answer.status_code == 404
    assert not Tag.objects.exists()


@pytest.fixture
def fields(account):
    kinds = Field.Kind
    return [
        FieldFactory(
            account=account, kind=kinds.COMPANY, name="Shipping Address", meaning="address", position=1
        ),
        FieldFactory(
            account=account, kind=kinds.LEAD, name="Email", meaning="email", position=2, is_key=True
        ),
        FieldFactory(account=account, kind=kinds.LEAD, name="Department", position=1),
        FieldFactory(account=account, kind=kinds.CONTACT, name="Birthday"),
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Department", "Email", "Shipping Address"]),
        ("?type=lead", ["Department", "Email"]),
        ("?type=client", ["Shipping Address"]),
        ("?type=", ["Department", "Email", "Shipping Address"]),
    ],
)
def test_fields_of_leads_and_clients_are_listed(program, fields, query, names):
    assert [item["name"] for item in program.get(f"/api/v2/fields{query}").json()] == names


def test_a_field_is_told_by_what_it_stands_for(program, fields):
    department, email, address = program.get("/api/v2/fields").json()

    assert email == {
        "id": fields[1].pk, "name": "Email", "type": "email", "parent_type": "lead", "position": 2,
        "is_key": True, "created_at": moment(fields[1].created_at),
        "updated_at": moment(fields[1].updated_at),
    }  # fmt: skip
    assert (department["type"], address["type"], address["parent_type"]) == ("unset", "address", "client")


def test_fields_of_something_else_are_not_recognized(program):
    answer = program.get("/api/v2/fields?type=contact")

    assert (answer.status_code, answer.json()["message"]) == (400, "Parameter type not recognized.")


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (
            {"name": "Country", "parent_type": "lead", "type": "country", "is_key": True},
            ("lead", "country", "text", True),
        ),
        ({"name": "Mail", "parent_type": "client", "type": "email"}, ("company", "email", "email", False)),
        ({"name": "Mood", "parent_type": "lead"}, ("lead", "", "text", False)),
        (
            {"name": "Mood", "parent_type": "lead", "type": "unset", "is_key": "true"},
            ("lead", "", "text", True),
        ),
        ({"name": "Own", "parent_type": "lead", "type": "custom5"}, ("lead", "custom5", "text", False)),
    ],
)
def test_a_field_is_made(program, given, stored):
    answer = program.post("/api/v2/fields", given, format="json")

    field = Field.objects.get()
    assert (field.kind, field.meaning, field.type, field.is_key) == stored
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": field.pk, "name": given["name"], "type": given.get("type", "unset"),
            "parent_type": given["parent_type"], "position": 1, "is_key": field.is_key,
            "created_at": moment(field.created_at), "updated_at": moment(field.updated_at),
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({"parent_type": "lead"}, 422, "Missing required parameter: name"),
        ({"name": "Mood"}, 422, "Missing required parameter: parent_type"),
        ({"name": "Mood", "parent_type": "contact"}, 400, "Parameter parent_type not recognized."),
        ({"name": "Mood", "parent_type": "lead", "type": "mood"}, 400, "Parameter type not recognized."),
        ({"name": "Mood", "parent_type": "lead", "is_key": "?"}, 400, "Parameter is_key not recognized."),
        (
            {"name": "x" * 33, "parent_type": "lead"},
            422,
            "Unprocessable -- Unable to perform your request: name has 33 characters; at most 32 fit",
        ),
    ],
)
def test_a_field_with_a_fault_is_not_made(program, given, status, message):
    answer = program.post("/api/v2/fields", given, format="json")

    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert not Field.objects.exists()


def test_a_name_of_32_characters_fits(program):
    given = {"name": "x" * 32, "parent_type": "lead"}

    assert program.post("/api/v2/fields", given, format="json").status_code == 201


def test_the_smallest_plan_has_no_custom_types(program, account):
    account.plan = Account.Plan.STARTER
    account.save()
    given = {"name": "Mood", "parent_type": "lead"}

    refused = program.post("/api/v2/fields", {**given, "type": "custom1"}, format="json")
    made = program.post("/api/v2/fields", {**given, "type": "vat"}, format="json")

    assert (refused.status_code, refused.json()["message"]) == (403, "Cannot access this feature.")
    assert made.status_code == 201


@pytest.mark.parametrize(("path", "given"), ADMIN_ONLY)
def test_only_administrators_set_an_account_up(logged_in, user, seller, origin, path, given):
    if "category_id" in given:
        given = {**given, "category_id": origin.pk}
    if path == "category":
        given = {"name": "Another"}

    refused = logged_in(seller).post(f"/api/v2/{path}", given, format="json")
    made = logged_in(user).post(f"/api/v2/{path}", given, format="json")

    assert (refused.status_code, refused.json()) == (401, NO_PRIVILEGES)
    assert made.status_code == 201


@pytest.mark.parametrize("path", ["categories", "predefined_tags", "fields", "activities"])
def test_everybody_reads_what_an_account_is_set_up_with(logged_in, seller, path):
    assert logged_in(seller).get(f"/api/v2/{path}").status_code == 200


def test_activities_are_listed_with_their_outcomes(program, account):
    call = ActivityTypeFactory(account=account, name="Call", kind="call", icon="phone")
    answered = ActivityTypeFactory(
        account=account, name="Answered", kind="call", icon="phone", parent=call, color="green"
    )
    fax = ActivityTypeFactory(account=account, name="Fax", is_disabled=True, position=1)

    answer = program.get("/api/v2/activities").json()

    assert answer == [
        {
            "id": fax.pk, "name": "Fax", "icon": None, "parent_id": None, "color": None, "kind": "other",
            "is_disabled": True, "position": 1,
        },
        {
            "id": call.pk, "name": "Call", "icon": "phone", "parent_id": None, "color": None, "kind": "call",
            "is_disabled": False, "position": None,
        },
        {
            "id": answered.pk, "name": "Answered", "icon": "phone", "parent_id": call.pk, "color": "green",
            "kind": "call", "is_disabled": False, "position": None,
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "maker"),
    [
        (
            "predefined_tags",
            lambda account: TagFactory(account=account, category=TagCategoryFactory(account=account)),
        ),
        ("fields", lambda account: FieldFactory(account=account, kind=Field.Kind.LEAD)),
        ("activities", lambda account: ActivityTypeFactory(account=account)),
    ],
)
def test_twenty_rows_take_as_many_queries_as_one(program, account, queries, path, maker):
    maker(account)
    one = queries(f"/api/v2/{path}")

    for _ in range(19):
        maker(account)

    assert queries(f"/api/v2/{path}") == one
    assert program.get(f"/api/v2/{path}")["X-TOTAL-COUNT"] == "20"


def test_outcomes_are_made_in_the_browser_only(program):
    answer = program.post("/api/v2/activities", {"name": "Call"}, format="json")

    assert (answer.status_code, answer.json()["type"]) == (405, "method_not_allowed")
    assert not ActivityType.objects.exists()
