"""Rows of prospecting lists: added, changed, deleted, commented, called and made leads of."""

from __future__ import annotations

import json

import pytest

from crm.calls import record_call
from crm.models import Comment, Lead, Prospect
from pipelime.accounts.people import disable_user
from pipelime.api.propipelines.parameters import moment
from pipelime.scope import account_scope
from tests.factories import (
    ActivityTypeFactory,
    LeadFactory,
    PipelineFactory,
    ProspectFactory,
    ProspectingListFactory,
    StepFactory,
    UserFactory,
)

GREEN = ["Green Corp", "julia@example.com", "345 234 7777"]
RED = ["Red Corp", "john@example.com", "222 333 5555"]
UNPROCESSABLE = "Unprocessable -- Unable to perform your request: "


@pytest.fixture
def sheet(account, user):
    return ProspectingListFactory(account=account, owner=user)


@pytest.fixture
def row(account, sheet):
    return ProspectFactory(account=account, prospecting_list=sheet, content=GREEN)


@pytest.fixture
def steps(account):
    pipeline = PipelineFactory(account=account, is_default=True)
    return StepFactory(account=account, pipeline=pipeline, name="Incoming", position=1)


def at(row, path: str = "") -> str:
    return f"/api/v2/spreadsheets/{row.prospecting_list_id}/rows/{row.pk}{path}"


def shape(row, **more) -> dict:
    return {"id": row.pk, "lead_id": row.lead_id, "is_active": row.is_active, "content": row.content, **more}


def send(client, method: str, path: str, body: str):
    return client.generic(method, path, body, content_type="application/json")


@pytest.mark.parametrize(
    "body",
    [
        {"content": [GREEN, RED]},
        {"content": json.dumps([GREEN, RED])},
        [GREEN, RED],
    ],
)
def test_rows_are_added_at_the_end(program, sheet, row, body):
    answer = send(program, "POST", f"/api/v2/spreadsheets/{sheet.pk}/rows", json.dumps(body))

    first, green, red = sheet.prospects.all()
    assert first == row
    assert (answer.status_code, answer.json()) == (201, [shape(green), shape(red)])
    assert (green.content, red.content) == (GREEN, RED)


def test_a_form_adds_rows_as_the_document_s_programs_send_it(program, sheet):
    answer = send(program, "POST", f"/api/v2/spreadsheets/{sheet.pk}/rows", f"content={json.dumps([RED])}")

    assert [row["content"] for row in answer.json()] == [RED]


def test_the_document_s_example_of_rows_is_no_json(program, sheet):
    answer = send(program, "POST", f"/api/v2/spreadsheets/{sheet.pk}/rows", '{content: [["Green Corp"]]}')

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_json")
    assert not Prospect.objects.exists()


def test_rows_come_a_hundred_at_a_time(program, sheet):
    path = f"/api/v2/spreadsheets/{sheet.pk}/rows"

    refused = program.post(path, {"content": [["x"]] * 101}, format="json")
    added = program.post(path, {"content": [["x"]] * 100}, format="json")

    assert (refused.status_code, refused.json()["message"]) == (
        422,
        f"{UNPROCESSABLE}rows: 101 rows are too many at once; send at most 100",
    )
    assert (added.status_code, len(added.json()), sheet.prospects.count()) == (201, 100, 100)


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({}, 422, "Missing required parameter: content"),
        ({"content": "Green Corp"}, 400, "content: The body is no JSON: "),
        ({"content": {"a": 1}}, 422, f"{UNPROCESSABLE}content is a list of rows such as "),
        ({"content": ["Green Corp"]}, 422, f"{UNPROCESSABLE}Row 1 is str, not a list of cells"),
        ({"content": [[*RED, "more"]]}, 422, f"{UNPROCESSABLE}Row 1 has 4 cells, but the list has 3 columns"),
    ],
)
def test_rows_with_a_fault_are_not_added(program, sheet, given, status, message):
    answer = program.post(f"/api/v2/spreadsheets/{sheet.pk}/rows", given, format="json")

    assert answer.status_code == status
    assert answer.json()["message"].startswith(message)
    assert not Prospect.objects.exists()


def test_a_list_has_5000_rows_in_all(program, sheet):
    type(sheet).objects.update(row_count=4999)

    answer = program.post(f"/api/v2/spreadsheets/{sheet.pk}/rows", {"content": [RED, GREEN]}, format="json")

    assert (answer.status_code, answer.json()["message"]) == (
        422,
        f"{UNPROCESSABLE}rows: 5001 rows are too many; a list has at most 5000; this one has 4999 already",
    )


@pytest.mark.parametrize("body", [RED, {"content": RED}, {"content": json.dumps(RED)}])
def test_a_row_is_changed(program, row, body):
    answer = send(program, "PUT", at(row), json.dumps(body))

    row.refresh_from_db()
    assert (answer.status_code, answer.json()) == (200, shape(row))
    assert row.content == RED


@pytest.mark.parametrize("body", ['{"content": [["x"]]}', '["a", "b", "c", "d"]', "[]", '[[],"x"]', "{}"])
def test_a_row_with_a_fault_stays_as_it_was(program, row, body):
    answer = send(program, "PUT", at(row), body)

    row.refresh_from_db()
    assert answer.status_code == 422
    assert row.content == GREEN


def test_a_row_is_deleted(program, row):
    number = row.pk

    answer = program.delete(at(row))

    assert (answer.status_code, answer.json()) == (200, {"id": number})
    assert not Prospect.objects.exists()


def test_a_row_is_commented(program, account, user, row):
    call = ActivityTypeFactory(account=account)

    answer = program.post(at(row, "/comments"), {"content": "Good", "activity_id": call.pk}, format="json")

    comment = Comment.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": comment.pk, "content": "Good", "commented_item": {"item": "SpreadsheetRow", "id": row.pk},
            "created_at": moment(comment.created_at), "attachments": [], "activity_id": call.pk,
            "user": {
                "id": user.pk, "lastname": user.last_name, "firstname": user.first_name,
                "email": user.email, "phone": "", "mobile_phone": "",
            },
        },
    )  # fmt: skip


def test_a_row_becomes_a_lead_of_whose_list_it_is(program, user, row, steps):
    answer = program.post(at(row, "/create_lead"))

    lead = Lead.objects.get()
    row.refresh_from_db()
    assert (answer.status_code, row.lead) == (201, lead)
    made = answer.json()
    assert [made[name] for name in ("id", "title", "status", "step", "user_id", "created_by_id", "tags")] == [
        lead.pk, "Green Corp", "Todo", "Incoming", user.pk, user.pk, [],
    ]  # fmt: skip
    assert made["description"] == "Email: julia@example.com\nPhone: 345 234 7777"
    assert made["created_from"] == "api"


def test_a_row_becomes_a_lead_of_who_is_logged_in(logged_in, seller, row, steps):
    assert logged_in(seller).post(at(row, "/create_lead")).json()["user_id"] == seller.pk


def test_a_row_becomes_nobody_s_lead_where_the_owner_has_gone(program, account, user, row, steps):
    owner = UserFactory(account=account)
    type(row.prospecting_list).objects.update(owner=owner)
    disable_user(owner, by=user)

    assert program.post(at(row, "/create_lead")).json()["user_id"] is None


def test_a_row_becomes_a_lead_once(program, row, steps):
    lead = program.post(at(row, "/create_lead")).json()["id"]

    answer = program.post(at(row, "/create_lead"))

    assert (answer.status_code, answer.json()["id"]) == (409, lead)
    assert Lead.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "path"), [("put", ""), ("delete", ""), ("post", "/comments"), ("post", "/create_lead")]
)
def test_a_row_is_named_with_its_own_list(program, account, row, method, path):
    other = ProspectingListFactory(account=account)

    answer = getattr(program, method)(
        f"/api/v2/spreadsheets/{other.pk}/rows/{row.pk}{path}", {"content": RED}, format="json"
    )

    row.refresh_from_db()
    assert (answer.status_code, row.content, row.lead) == (404, GREEN, None)


@pytest.fixture
def hidden(account, user):
    """A row of a list that only its owner and administrators see."""
    account.lead_visibility = "own"
    account.save()
    sheet = ProspectingListFactory(account=account, owner=user)
    return ProspectFactory(account=account, prospecting_list=sheet, content=GREEN)


@pytest.mark.parametrize(
    ("method", "path"), [("put", ""), ("delete", ""), ("post", "/comments"), ("post", "/create_lead")]
)
def test_a_row_that_one_does_not_see_looks_missing(logged_in, seller, hidden, method, path):
    answer = getattr(logged_in(seller), method)(at(hidden, path), {"content": RED}, format="json")

    hidden.refresh_from_db()
    assert (answer.status_code, hidden.content) == (404, GREEN)


@pytest.fixture
def called(account, user, row):
    ActivityTypeFactory(account=account, kind="call")
    record_call(row, by=user, phone="(222) 333 4444")
    return row


@pytest.mark.parametrize("phone", ["2223334444", "222-333-4444", "%2B1 222 333 4444", "%281%29222.333.4444"])
def test_who_was_called_under_a_number_is_found_however_it_is_written(program, called, phone):
    answer = program.get(f"/api/v2/rows/called_from?phone_number={phone}")

    assert answer.json() == [shape(called, spreadsheet_id=called.prospecting_list_id)]


@pytest.mark.parametrize("phone", ["2223334445", "nobody", "5551234"])
def test_under_another_number_nobody_was_called(program, called, phone):
    assert program.get(f"/api/v2/rows/called_from?phone_number={phone}").json() == []


def test_a_number_that_stands_in_a_row_was_not_called(program, row):
    assert program.get("/api/v2/rows/called_from?phone_number=345 234 7777").json() == []


def test_who_was_called_needs_a_number(program):
    answer = program.get("/api/v2/rows/called_from")

    assert (answer.status_code, answer.json()["message"]) == (422, "Missing required parameter: phone_number")


def test_people_find_calls_to_rows_that_they_see(program, logged_in, account, user, seller, hidden):
    ActivityTypeFactory(account=account, kind="call")
    record_call(hidden, by=user, phone="2223334444")
    path = "/api/v2/rows/called_from?phone_number=2223334444"

    assert [row["id"] for row in program.get(path).json()] == [hidden.pk]
    assert logged_in(seller).get(path).json() == []


def test_twenty_called_rows_take_as_many_queries_as_one(account, user, called, queries):
    path = "/api/v2/rows/called_from?phone_number=2223334444"
    one = queries(path)

    for _ in range(20):
        prospect = ProspectFactory(account=account, lead=LeadFactory(account=account))
        record_call(prospect, by=user, phone="2223334444")

    assert queries(path) == one


def test_a_call_of_another_account_is_not_found(program, stranger):
    with account_scope(stranger.account):
        ActivityTypeFactory(account=stranger.account, kind="call")
        record_call(ProspectFactory(account=stranger.account), by=stranger, phone="2223334444")

    assert program.get("/api/v2/rows/called_from?phone_number=2223334444").json() == []
