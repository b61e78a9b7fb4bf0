"""Prospecting lists and their rows over the API."""

import pytest

from crm.models import Activity, Comment, Lead, Prospect, ProspectingList
from pipelime.accounts.models import Account
from pipelime.events.models import Event
from tests.api.moments import in_full
from tests.factories import (
    ActivityTypeFactory,
    PipelineFactory,
    ProspectFactory,
    ProspectingListFactory,
    StepFactory,
    UserFactory,
)

TITLES = ["Company", "Email", "Phone"]


@pytest.fixture
def sheet(account, user) -> ProspectingList:
    return ProspectingListFactory(account=account, title="Fair", columns=TITLES, owner=user)


@pytest.fixture
def prospect(account, sheet) -> Prospect:
    cells = ["Loretta Inc.", "loretta@example.com", "+33 1 23 45 67 89"]
    return ProspectFactory(account=account, prospecting_list=sheet, content=cells)


def test_a_list_is_made_with_its_rows(native, user):
    answer = native.post(
        "/api/prospecting-lists",
        {
            "title": "Fair",
            "columns": TITLES,
            "rows": [["Loretta Inc.", "loretta@example.com"], ["Jules SA"]],
            "tags": ["fair"],
            "owner": str(user.uid),
        },
        format="json",
    )

    made = ProspectingList.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(made.uid),
        "title": "Fair",
        "description": "",
        "columns": TITLES,
        "owner": {"id": str(user.uid), "name": user.name, "email": user.email},
        "privacy": "default",
        "tags": ["fair"],
        "row_count": 2,
        "comment_count": 0,
        "is_archived": False,
        "created_at": in_full(made.created_at),
        "updated_at": in_full(made.updated_at),
    }
    assert [row.content for row in made.prospects.all()] == [
        ["Loretta Inc.", "loretta@example.com", ""],
        ["Jules SA", "", ""],
    ]


def test_a_key_s_list_is_nobody_s_and_a_person_s_is_their_own(native, client, seller):
    by_key = native.post("/api/prospecting-lists", {"title": "A", "columns": TITLES}, format="json")
    client.force_login(seller)
    by_person = client.post(
        "/api/prospecting-lists", {"title": "B", "columns": TITLES}, content_type="application/json"
    )

    assert by_key.json()["owner"] is None
    assert by_person.json()["owner"]["id"] == str(seller.uid)


def test_lists_are_narrowed_by_owner_tag_and_whether_they_are_put_away(native, account, user, sheet):
    native.patch(f"/api/prospecting-lists/{sheet.uid}", {"tags": ["Paris"]}, format="json")
    other = ProspectingListFactory(account=account)
    native.patch(f"/api/prospecting-lists/{other.uid}", {"is_archived": True}, format="json")

    def ids(query: str) -> list[str]:
        rows = native.get(f"/api/prospecting-lists?{query}").json()["data"]
        return [row["id"] for row in rows]

    assert ids("") == [str(other.uid), str(sheet.uid)]
    assert ids(f"owner={user.uid}") == ids("tag=paris") == ids("is_archived=false") == [str(sheet.uid)]
    assert ids("is_archived=true") == [str(other.uid)]


def test_a_list_is_assigned_changed_and_deleted(native, account, sheet):
    colleague = UserFactory(account=account)

    assigned = native.post(
        f"/api/prospecting-lists/{sheet.uid}/assign", {"owner": str(colleague.uid)}, format="json"
    )
    changed = native.patch(f"/api/prospecting-lists/{sheet.uid}", {"title": "Spring fair"}, format="json")
    deleted = native.delete(f"/api/prospecting-lists/{sheet.uid}")

    assert assigned.json()["owner"]["id"] == str(colleague.uid)
    assert changed.json()["title"] == "Spring fair"
    assert deleted.status_code == 204
    assert native.get(f"/api/prospecting-lists/{sheet.uid}").status_code == 404


def test_people_see_shared_lists_and_those_of_whose_leads_they_see(client, account, user, seller, sheet):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    shared = ProspectingListFactory(account=account, owner=user, privacy="everyone")
    hidden = ProspectFactory(account=account, prospecting_list=sheet)
    client.force_login(seller)

    listed = client.get("/api/prospecting-lists").json()["data"]

    assert [row["id"] for row in listed] == [str(shared.uid)]
    assert client.get(f"/api/prospecting-lists/{sheet.uid}").status_code == 404
    assert client.get(f"/api/prospects/{hidden.uid}").status_code == 404


def test_rows_are_added_at_the_end_and_listed_in_pages(native, sheet, prospect):
    added = native.post(
        f"/api/prospecting-lists/{sheet.uid}/prospects", {"rows": [["Jules SA"], ["Otto AG"]]}, format="json"
    )
    listed = native.get(f"/api/prospecting-lists/{sheet.uid}/prospects?order=id&limit=2").json()

    assert added.status_code == 201
    assert [row["content"] for row in added.json()["data"]] == [["Jules SA", "", ""], ["Otto AG", "", ""]]
    assert [row["content"][0] for row in listed["data"]] == ["Loretta Inc.", "Jules SA"]
    assert listed["pagination"]["has_more"] is True
    assert listed["data"][0]["prospecting_list"] == {
        "id": str(sheet.uid),
        "title": "Fair",
        "columns": TITLES,
    }


@pytest.mark.parametrize("rows", [[["a", "b", "c", "d"]], ["a"], "a"])
def test_rows_that_do_not_fit_are_refused_and_none_is_kept(native, sheet, rows):
    answer = native.post(f"/api/prospecting-lists/{sheet.uid}/prospects", {"rows": rows}, format="json")

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == ["rows"]
    assert not Prospect.objects.exists()


def test_a_row_is_changed_and_deleted(native, sheet, prospect):
    changed = native.patch(
        f"/api/prospects/{prospect.uid}", {"content": ["Loretta SA"], "is_active": False}, format="json"
    )
    deleted = native.delete(f"/api/prospects/{prospect.uid}")

    assert changed.json()["content"] == ["Loretta SA", "", ""]
    assert changed.json()["is_active"] is False
    assert deleted.status_code == 204
    assert not Prospect.objects.exists()


def test_a_row_becomes_a_lead_once(native, account, prospect):
    StepFactory(account=account, pipeline=PipelineFactory(account=account, is_default=True))

    made = native.post(f"/api/prospects/{prospect.uid}/create-lead", {}, format="json")
    again = native.post(f"/api/prospects/{prospect.uid}/create-lead", {}, format="json")

    lead = Lead.objects.get()
    assert made.status_code == 201
    assert made.json()["id"] == str(lead.uid)
    assert made.json()["title"] == "Loretta Inc."
    assert made.json()["description"] == "Email: loretta@example.com\nPhone: +33 1 23 45 67 89"
    assert again.status_code == 409
    assert again.json()["error"]["details"] == {"existing_id": [str(lead.uid)]}
    assert native.get(f"/api/prospects/{prospect.uid}").json()["lead"]["title"] == "Loretta Inc."


def test_a_call_is_noted(native, account, prospect):
    ActivityTypeFactory(account=account, name="Call", kind="call")

    answer = native.post(
        f"/api/prospects/{prospect.uid}/call", {"phone": "+33 1 23 45 67 89", "note": "Nobody"}, format="json"
    )

    activity = Activity.objects.get()
    assert answer.status_code == 201
    assert answer.json()["id"] == str(activity.uid)
    assert answer.json()["type"]["name"] == "Call"
    assert answer.json()["note"] == "Nobody"
    assert activity.prospect == prospect


def test_a_list_is_commented_on(native, sheet):
    made = native.post(
        f"/api/prospecting-lists/{sheet.uid}/comments", {"content": "From the fair"}, format="json"
    )
    listed = native.get(f"/api/prospecting-lists/{sheet.uid}/comments").json()["data"]

    assert made.status_code == 201
    assert [row["content"] for row in listed] == ["From the fair"]
    assert Comment.objects.get().prospecting_list == sheet
    assert native.get(f"/api/prospecting-lists/{sheet.uid}").json()["comment_count"] == 1


def test_a_page_of_lists_costs_as_many_queries_with_many_as_with_one(
    native, account, django_assert_max_num_queries
):
    for _ in range(5):
        ProspectingListFactory(account=account, owner=UserFactory(account=account))
    native.get("/api/prospecting-lists")

    with django_assert_max_num_queries(6):
        assert len(native.get("/api/prospecting-lists").json()["data"]) == 5

    assert not Event.objects.filter(subject_type="prospecting_list").exists()
