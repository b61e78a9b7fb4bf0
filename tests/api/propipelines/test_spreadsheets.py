"""Prospecting lists: listed, made, read, assigned and commented."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from crm.comments import create_comment
from crm.models import Comment, ProspectingList, Tag
from pipelime.accounts.models import Notice
from pipelime.accounts.people import disable_user
from pipelime.accounts.teams import create_team
from pipelime.api.propipelines.parameters import moment
from tests.factories import (
    ActivityTypeFactory,
    LeadFactory,
    ProspectFactory,
    ProspectingListFactory,
    TagFactory,
    UserFactory,
)

HEADER = ["Company name", "Firstname", "Lastname", "Email", "Phone"]
ACME = ["Acme Corp", "John", "Doe", "john.doe@acme.com", "654 234 7623"]
EUROPA = ["EuropaCorp", "Luc", "Besson", "luc.besson@europacorp.com", "555 333 5678"]
TABLE = [HEADER, ACME, EUROPA]
UNPROCESSABLE = "Unprocessable -- Unable to perform your request: "


@pytest.fixture(autouse=True)
def address(settings):
    settings.PIPELIME_URL = "https://crm.example.com"


@pytest.fixture
def sheet(account, user):
    made = ProspectingListFactory(account=account, title="Circle prospects", description="Around", owner=user)
    made.tags.set([TagFactory(account=account, name="Square"), TagFactory(account=account, name="green")])
    return made


def person(user) -> dict:
    return {
        "id": user.pk, "lastname": user.last_name, "firstname": user.first_name, "email": user.email,
        "phone": user.phone, "mobile_phone": user.mobile_phone,
    }  # fmt: skip


def facts(sheet, user) -> dict:
    sheet.refresh_from_db()
    return {
        "id": sheet.pk, "title": "Circle prospects", "description": "Around",
        "column_names": ["Company", "Email", "Phone"], "privacy": 1, "updated_at": moment(sheet.updated_at),
        "created_at": moment(sheet.created_at), "tags": ["green", "Square"],
        "permalink": f"https://crm.example.com/spreadsheets/{sheet.pk}", "is_archived": False,
        "user": person(user),
    }  # fmt: skip


def make(client, **given):
    return client.post(
        "/api/v2/spreadsheets", {"title": "Prospect", "content": TABLE, **given}, format="json"
    )


def test_lists_are_listed_with_these_facts(program, account, user, sheet):
    ProspectFactory(account=account, prospecting_list=sheet)
    ProspectFactory(account=account, prospecting_list=sheet, lead=LeadFactory(account=account))
    ProspectFactory(account=account, prospecting_list=sheet, is_active=False)
    ProspectingList.objects.update(row_count=3)

    answer = program.get("/api/v2/spreadsheets")

    assert answer.json() == [
        {**facts(sheet, user), "column_count": 3, "to_qualify_row_count": 1, "total_row_count": 3}
    ]
    assert answer["X-TOTAL-COUNT"] == "1"


@pytest.fixture
def sheets(account):
    for title in ("North", "South", "South", "West"):
        ProspectingListFactory(account=account, title=title)
    ProspectingListFactory(account=account, title="Gone", deleted_at=timezone.now())
    ProspectingListFactory(title="Foreign")


@pytest.mark.parametrize(
    ("query", "titles", "total"),
    [
        ("", ["West", "South", "South", "North"], 4),
        ("?direction=desc", ["West", "South", "South", "North"], 4),
        ("?direction=asc", ["North", "South", "South", "West"], 4),
        ("?title=South", ["South", "South"], 2),
        ("?title=south", [], 0),
        ("?title=Sou", [], 0),
        ("?limit=1", ["West"], 4),
        ("?limit=2&offset=1&direction=asc", ["South", "South"], 4),
        ("?limit=9999&offset=3", ["North"], 4),
        ("?offset=4", [], 4),
        ("?limit=0", [], 4),
        ("?privacy=1", ["West", "South", "South", "North"], 4),
    ],
)
def test_lists_are_found_and_paged(program, sheets, query, titles, total):
    answer = program.get(f"/api/v2/spreadsheets{query}")

    assert [sheet["title"] for sheet in answer.json()] == titles
    assert answer["X-TOTAL-COUNT"] == str(total)


@pytest.mark.parametrize("query", ["direction=up", "limit=-1", "limit=many", "offset=-5", "title=%00"])
def test_a_wrong_parameter_is_not_recognized(program, query):
    answer = program.get(f"/api/v2/spreadsheets?{query}")

    name = query.partition("=")[0]
    assert (answer.status_code, answer.json()["message"]) == (400, f"Parameter {name} not recognized.")


def test_a_hundred_lists_come_by_themselves(program, account):
    ProspectingListFactory.create_batch(101, account=account)

    answer = program.get("/api/v2/spreadsheets")

    assert (len(answer.json()), answer["X-TOTAL-COUNT"]) == (100, "101")


def test_twenty_lists_take_as_many_queries_as_one(account, queries, sheet):
    one = queries("/api/v2/spreadsheets")

    for _ in range(20):
        made = ProspectingListFactory(account=account, owner=UserFactory(account=account))
        made.tags.set([TagFactory(account=account)])
        ProspectFactory(account=account, prospecting_list=made)

    assert queries("/api/v2/spreadsheets") == one


@pytest.mark.parametrize("content", [TABLE, json.dumps(TABLE)])
def test_a_list_is_made_of_an_array_or_of_its_text(program, seller, content):
    answer = make(
        program, content=content, description="From Peter", tags=["prospect", "Peter"], user_id=seller.email
    )

    made = ProspectingList.objects.get()
    first, second = made.prospects.all()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": made.pk, "title": "Prospect", "description": "From Peter", "column_names": HEADER,
            "privacy": 1, "updated_at": moment(made.updated_at), "created_at": moment(made.created_at),
            "tags": ["Peter", "prospect"], "permalink": f"https://crm.example.com/spreadsheets/{made.pk}",
            "is_archived": False, "user": person(seller),
            "spreadsheet_rows": [
                {"id": first.pk, "lead_id": None, "is_active": True, "content": ACME},
                {"id": second.pk, "lead_id": None, "is_active": True, "content": EUROPA},
            ],
        },
    )  # fmt: skip


def test_a_form_makes_a_list_as_the_document_s_programs_send_it(program):
    form = 'title=Prospect&content=[["Company"],["Acme"]]&tags[]=prospect&tags[]=peter'

    answer = program.generic("POST", "/api/v2/spreadsheets", form, content_type="application/json")

    assert (answer.status_code, answer.json()["tags"]) == (201, ["peter", "prospect"])
    assert [row["content"] for row in answer.json()["spreadsheet_rows"]] == [["Acme"]]


def test_known_tags_are_used_again(program, account):
    TagFactory(account=account, name="Peter")

    assert make(program, tags=["peter"]).json()["tags"] == ["Peter"]
    assert Tag.objects.count() == 1


def test_a_list_of_nobody_known_belongs_to_the_first_administrator(program, account, user, seller, stranger):
    UserFactory(account=account, is_admin=True)
    disable_user(seller, by=user)

    for given in (
        {},
        {"user_id": ""},
        {"user_id": "nobody"},
        {"user_id": stranger.pk},
        {"user_id": seller.pk},
    ):
        assert make(program, **given).json()["user"]["id"] == user.pk


def test_a_person_s_list_is_that_person_s_whoever_is_named(logged_in, user, seller):
    assert make(logged_in(seller), user_id=user.pk).json()["user"]["id"] == seller.pk


@pytest.mark.parametrize(("privacy", "number"), [("off", 0), ("default", 1), ("", 1), ("on", 1), (None, 1)])
def test_a_list_is_shared_with_everyone_or_as_the_account_says(program, user, privacy, number):
    assert make(program, privacy=privacy, user_id=user.pk).json()["privacy"] == number


def test_a_program_that_sets_the_privacy_names_the_owner(program, logged_in, seller):
    refused = make(program, privacy="off")

    assert (refused.status_code, refused.json()["message"]) == (422, "Missing required parameter: user_id")
    assert not ProspectingList.objects.exists()
    assert make(logged_in(seller), privacy="off").json()["privacy"] == 0


@pytest.mark.parametrize("missing", ["title", "content"])
def test_a_list_needs_a_title_and_a_content(program, missing):
    answer = make(program, **{missing: None})

    assert (answer.status_code, answer.json()["message"]) == (422, f"Missing required parameter: {missing}")


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        ("[[", 400, "content: The body is no JSON: "),
        ('{"Company": "Acme"}', 422, f"{UNPROCESSABLE}content is a list of rows such as "),
        ([], 422, f"{UNPROCESSABLE}columns: at least one column needs a name"),
        (["Company"], 422, f"{UNPROCESSABLE}columns is a list of names such as "),
        ([["Company"], "Acme"], 422, f"{UNPROCESSABLE}Row 1 is str, not a list of cells"),
        ([["Company"], ["Acme", "x"]], 422, f"{UNPROCESSABLE}Row 1 has 2 cells, but the list has 1 columns"),
        ([["c"] * 27], 422, f"{UNPROCESSABLE}columns: 27 columns are too many; a list has at most 26"),
        (
            [["c"], *[["x"]] * 5001],
            422,
            f"{UNPROCESSABLE}rows: 5001 rows are too many; a list has at most 5000",
        ),
    ],
)
def test_a_content_that_is_no_table_makes_no_list(program, content, status, message):
    answer = make(program, content=content)

    assert answer.status_code == status
    assert answer.json()["message"].startswith(message)
    assert not ProspectingList.objects.exists()


def test_a_list_takes_5000_rows_and_26_columns(program):
    answer = make(program, content=[["c"] * 26, *[["x"] * 26] * 5000])

    assert (answer.status_code, len(answer.json()["spreadsheet_rows"])) == (201, 5000)


def test_a_list_is_read_with_its_rows(program, account, user, sheet):
    lead = LeadFactory(account=account)
    second = ProspectFactory(account=account, prospecting_list=sheet, position=2, is_active=False)
    first = ProspectFactory(account=account, prospecting_list=sheet, position=1, lead=lead, comment_count=3)

    answer = program.get(f"/api/v2/spreadsheets/{sheet.pk}")

    assert answer.json() == {
        **facts(sheet, user),
        "spreadsheet_rows": [
            {
                "id": first.pk, "lead_id": lead.pk, "is_active": True, "content": first.content,
                "comment_count": 3,
            },
            {
                "id": second.pk, "lead_id": None, "is_active": False, "content": second.content,
                "comment_count": 0,
            },
        ],
    }  # fmt: skip


def test_many_rows_take_as_many_queries_as_one(account, queries, sheet):
    ProspectFactory(account=account, prospecting_list=sheet)
    one = queries(f"/api/v2/spreadsheets/{sheet.pk}")

    ProspectFactory.create_batch(
        20, account=account, prospecting_list=sheet, lead=LeadFactory(account=account)
    )

    assert queries(f"/api/v2/spreadsheets/{sheet.pk}") == one


def test_an_archived_list_says_so(program, sheet):
    sheet.archived_at = timezone.now()
    sheet.save()

    assert program.get(f"/api/v2/spreadsheets/{sheet.pk}").json()["is_archived"] is True


def test_a_list_of_nobody_has_no_user(program, account):
    sheet = ProspectingListFactory(account=account)

    assert program.get(f"/api/v2/spreadsheets/{sheet.pk}").json()["user"] is None


@pytest.mark.parametrize("by_email", [True, False])
def test_a_list_is_assigned_and_the_new_owner_is_mailed(program, seller, sheet, by_email):
    given = {"user_id": seller.email if by_email else seller.pk}

    answer = program.post(f"/api/v2/spreadsheets/{sheet.pk}/assign", given, format="json")

    assert (answer.status_code, answer.json()) == (200, {**facts(sheet, seller), "column_count": 3})
    assert Notice.objects.get().to == seller.email


@pytest.mark.parametrize("given", ["nobody", 987654321, True])
def test_a_list_is_assigned_to_nobody_unknown(program, user, sheet, given):
    answer = program.post(f"/api/v2/spreadsheets/{sheet.pk}/assign", {"user_id": given}, format="json")

    sheet.refresh_from_db()
    assert (answer.status_code, answer.json()["message"]) == (400, "Parameter user_id not recognized.")
    assert sheet.owner == user
    assert program.post(f"/api/v2/spreadsheets/{sheet.pk}/assign").status_code == 422


def test_a_list_is_commented(program, user, seller, sheet):
    answer = program.post(
        f"/api/v2/spreadsheets/{sheet.pk}/comments", {"content": "Good", "user_id": seller.pk}, format="json"
    )

    comment = Comment.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": comment.pk, "content": "Good",
            "commented_item": {"item": "Spreadsheet", "id": sheet.pk},
            "created_at": moment(comment.created_at), "attachments": [], "activity_id": None,
            "user": person(seller),
        },
    )  # fmt: skip


def test_a_person_s_comment_is_that_person_s(logged_in, user, seller, sheet):
    ProspectingList.objects.update(owner=seller)

    answer = logged_in(seller).post(
        f"/api/v2/spreadsheets/{sheet.pk}/comments", {"content": "Good", "user_id": user.pk}, format="json"
    )

    assert answer.json()["user"]["id"] == seller.pk


def test_a_comment_has_an_activity_and_files(program, account, user, sheet, settings, tmp_path):
    call = ActivityTypeFactory(account=account)
    given = {
        "content": "Good", "activity_id": call.pk,
        "attachments[]": [SimpleUploadedFile("a.txt", b"A"), SimpleUploadedFile("b.txt", b"B")],
    }  # fmt: skip

    answer = program.post(f"/api/v2/spreadsheets/{sheet.pk}/comments", given, format="multipart").json()

    assert (answer["activity_id"], answer["user"]["id"]) == (call.pk, user.pk)
    [first, second] = answer["attachments"]
    assert first == {
        "id": first["id"], "name": "a.txt", "kind": "attachment", "content_type": "text/plain",
        "url": f"https://crm.example.com/attachments/{first['id']}",
        "permalink": f"https://crm.example.com/attachments/{first['id']}",
    }  # fmt: skip
    assert second["name"] == "b.txt"


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({}, 422, "Missing required parameter: content"),
        ({"content": "  "}, 422, f"{UNPROCESSABLE}content is blank; a comment says something"),
        ({"content": "Good", "user_id": "nobody"}, 400, "Parameter user_id not recognized."),
        ({"content": "Good", "activity_id": 987654321}, 400, "Parameter activity_id not recognized."),
    ],
)
def test_a_comment_with_a_fault_is_not_written(program, sheet, given, status, message):
    answer = program.post(f"/api/v2/spreadsheets/{sheet.pk}/comments", given, format="json")

    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert not Comment.objects.exists()


@pytest.fixture
def private(account, user):
    """Where people see their own and their teams' lists."""
    account.lead_visibility = "team"
    account.save()
    ProspectingListFactory(account=account, title="shared", privacy="everyone", owner=user)
    ProspectingListFactory(account=account, title="hers", owner=user)


def titles(client) -> list[str]:
    return [sheet["title"] for sheet in client.get("/api/v2/spreadsheets?direction=asc").json()]


def test_people_of_other_teams_see_what_is_shared(program, logged_in, account, user, seller, private):
    create_team(account, by=user, name="North", members=[(user, False)])
    create_team(account, by=user, name="South", members=[(seller, False)])
    ProspectingListFactory(account=account, title="his", owner=seller)

    assert titles(logged_in(seller)) == ["shared", "his"]
    assert titles(logged_in(user)) == titles(program) == ["shared", "hers", "his"]


def test_people_of_one_team_see_each_other_s(logged_in, account, user, seller, private):
    create_team(account, by=user, name="North", members=[(user, False), (seller, False)])

    assert titles(logged_in(seller)) == ["shared", "hers"]


@pytest.mark.parametrize(
    ("method", "path"), [("get", ""), ("post", "/assign"), ("post", "/comments"), ("post", "/rows")]
)
def test_a_list_that_one_does_not_see_looks_missing(logged_in, account, user, seller, private, method, path):
    hidden = ProspectingList.objects.get(title="hers")
    given = {"user_id": seller.pk, "content": "[[]]"}

    for number in (hidden.pk, 987654321):
        answer = getattr(logged_in(seller), method)(
            f"/api/v2/spreadsheets/{number}{path}", given, **({} if method == "get" else {"format": "json"})
        )
        assert (answer.status_code, answer.json()["type"]) == (404, "not_found")


def test_counts_of_comments_are_told_with_the_rows(program, account, user, sheet):
    prospect = ProspectFactory(account=account, prospecting_list=sheet)
    create_comment(prospect, by=user, content="Good")

    [row] = program.get(f"/api/v2/spreadsheets/{sheet.pk}").json()["spreadsheet_rows"]

    assert row["comment_count"] == 1
