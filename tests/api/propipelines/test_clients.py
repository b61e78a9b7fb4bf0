"""Client folders: listed, made, read, changed and deleted."""

from __future__ import annotations

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from crm.models import Company, Field
from pipelime.accounts.keys import create_key
from pipelime.accounts.people import disable_user
from pipelime.events.models import Event
from tests.api.moments import in_milliseconds
from tests.factories import CompanyFactory, FieldFactory, LeadFactory, UserFactory

MEANINGS = [
    "email", "phone", "mobile", "address", "web", "first_name", "last_name", "full_name", "job", "fax",
    "vat", "city", "zipcode", "state", "country",
]  # fmt: skip
USER_ID_UNKNOWN = {
    "error": 400, "message": "Parameter user_id not recognized.", "type": "parameter_not_recognized",
}  # fmt: skip


@pytest.fixture
def folder(account, user):
    return CompanyFactory(account=account, name="Acme", is_client=True, owner=user)


@pytest.fixture
def fields(account):
    FieldFactory(account=account, kind=Field.Kind.COMPANY, name="Address", key="address", meaning="address")
    FieldFactory(account=account, kind=Field.Kind.COMPANY, name="Billing address", key="billing_address")
    FieldFactory(account=account, kind=Field.Kind.LEAD, name="City", key="city", meaning="city")


def names(answer) -> list[str]:
    return [item["name"] for item in answer.json()]


def test_the_folders_are_listed_with_these_facts(program, account, user, folder):
    answer = program.get("/api/v2/clients")

    created = in_milliseconds(folder.created_at)
    assert answer.json() == [
        {
            "id": folder.pk, "name": "Acme", "description": "", "is_active": True, "created_at": created,
            "user_id": user.pk,
        }
    ]  # fmt: skip
    assert answer["X-TOTAL-COUNT"] == "1"


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", ["acme", "Beta", "Corporate"]),
        ("?direction=desc", ["Corporate", "Beta", "acme"]),
        ("?order=name&direction=asc", ["acme", "Beta", "Corporate"]),
        ("?order=id", ["Corporate", "acme", "Beta"]),
        ("?order=id&direction=desc", ["Beta", "acme", "Corporate"]),
        ("?whatever=1", ["acme", "Beta", "Corporate"]),
    ],
)
def test_folders_are_ordered_by_name_or_id(program, account, query, order):
    for name in ("Corporate", "acme", "Beta"):
        CompanyFactory(account=account, name=name, is_client=True)

    assert names(program.get(f"/api/v2/clients{query}")) == order


@pytest.mark.parametrize("parameter", ["order", "direction"])
def test_another_order_is_not_recognized(program, parameter):
    answer = program.get(f"/api/v2/clients?{parameter}=whatever")

    assert (answer.status_code, answer.json()["message"]) == (400, f"Parameter {parameter} not recognized.")


def test_inactive_folders_are_listed_and_deleted_ones_and_other_companies_are_not(program, account):
    CompanyFactory(account=account, name="Idle", is_client=True, is_active=False)
    CompanyFactory(account=account, name="Gone", is_client=True, deleted_at=timezone.now())
    CompanyFactory(account=account, name="No client")
    CompanyFactory(name="Foreign", is_client=True)

    answer = program.get("/api/v2/clients").json()

    assert [(item["name"], item["is_active"]) for item in answer] == [("Idle", False)]


def test_a_hundred_folders_take_as_many_queries_as_one(program, account, folder, queries):
    one = queries("/api/v2/clients")

    for _ in range(99):
        CompanyFactory(account=account, is_client=True, owner=UserFactory(account=account))

    assert queries("/api/v2/clients") == one
    assert program.get("/api/v2/clients")["X-TOTAL-COUNT"] == "100"


def test_a_folder_is_made_with_what_its_description_says(program, account, user, fields, settings):
    settings.PIPELIME_URL = "https://crm.example.com"
    given = {"name": "Blue Client", "description": "Address: 2344 Paradise Av", "user_id": user.email}

    answer = program.post("/api/v2/clients", given, format="json")

    company = Company.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": company.pk,
        "name": "Blue Client",
        "description": "Address: 2344 Paradise Av",
        "is_active": True,
        "created_at": answer.json()["created_at"],
        "user_id": user.pk,
        "extended_info": {
            "permalink": f"https://crm.example.com/clients/{company.pk}",
            "fields": {**dict.fromkeys(MEANINGS), "address": "2344 Paradise Av"},
            "fields_by_name": {"Address": "2344 Paradise Av", "Billing address": None},
            "user": {
                "id": user.pk,
                "lastname": user.last_name,
                "firstname": user.first_name,
                "email": user.email,
            },
        },
    }
    assert company.is_client
    assert Event.objects.get(name="company.created").actor == user


def test_a_field_of_another_meaning_is_told_where_it_is_defined(program, account, fields):
    FieldFactory(account=account, kind=Field.Kind.COMPANY, name="Number", key="number", meaning="company_id")
    folder = CompanyFactory(account=account, is_client=True, description="Number: 42")

    told = program.get(f"/api/v2/clients/{folder.pk}").json()["extended_info"]["fields"]

    assert list(told) == [*MEANINGS, "company_id"]
    assert told["company_id"] == "42"


def test_a_form_makes_a_folder_as_the_document_s_programs_send_it(program, user):
    answer = program.generic(
        "POST", "/api/v2/clients", "name=Blue+Client&description=&user_id=", content_type="application/json"
    )

    assert (answer.status_code, answer.json()["name"]) == (201, "Blue Client")
    assert answer.json()["user_id"] == user.pk


def test_without_a_word_a_folder_belongs_to_whoever_makes_it(program, logged_in, user, seller):
    given = {"name": "Blue"}

    by_program = program.post("/api/v2/clients", given, format="json").json()
    by_person = logged_in(seller).post("/api/v2/clients", given, format="json").json()

    assert (by_program["user_id"], by_person["user_id"]) == (user.pk, seller.pk)


def test_only_programs_name_an_owner(logged_in, seller):
    answer = logged_in(seller).post("/api/v2/clients", {"name": "Blue", "user_id": seller.pk}, format="json")

    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "Parameter user_id should not be used with USER token.",
    )
    assert not Company.objects.exists()


def test_an_owner_must_work_here(program, user, seller, stranger):
    disable_user(seller, by=user)

    for name in (seller.pk, stranger.pk, stranger.email, "nobody", 0, True):
        answer = program.post("/api/v2/clients", {"name": "Blue", "user_id": name}, format="json")
        assert (answer.status_code, answer.json()) == (400, USER_ID_UNKNOWN)
    assert not Company.objects.exists()


@pytest.mark.parametrize("given", [{}, {"name": ""}, {"name": None, "description": "x"}])
def test_a_folder_needs_a_name(program, given):
    answer = program.post("/api/v2/clients", given, format="json")

    assert (answer.status_code, answer.json()) == (
        422,
        {"error": 422, "message": "Missing required parameter: name", "type": "missing_parameter"},
    )


@pytest.mark.parametrize(
    "given", [{"name": "   "}, {"name": 5}, {"name": "x" * 251}, {"name": "x", "description": []}]
)
def test_a_folder_with_a_wrong_text_is_not_made(program, given):
    answer = program.post("/api/v2/clients", given, format="json")

    assert (answer.status_code, answer.json()["type"]) == (422, "unprocessable")
    assert not Company.objects.exists()


@pytest.mark.parametrize(("body", "status"), [('{"name": }', 400), ("[1]", 400), ('"Acme"', 400)])
def test_a_body_that_is_no_object_is_refused(program, body, status):
    answer = program.generic("POST", "/api/v2/clients", body, content_type="application/json")

    assert (answer.status_code, answer.json()["type"]) == (status, "invalid_json")


def test_a_folder_is_read_by_its_id(program, folder, fields):
    answer = program.get(f"/api/v2/clients/{folder.pk}/").json()

    assert (answer["id"], answer["name"]) == (folder.pk, "Acme")
    assert answer["extended_info"]["fields_by_name"] == {"Address": None, "Billing address": None}


def test_a_company_that_leads_are_filed_under_answers_to_its_id(program, account):
    company = CompanyFactory(account=account, name="Filed")
    LeadFactory(account=account, client_folder=company)

    assert program.get(f"/api/v2/clients/{company.pk}").json()["name"] == "Filed"


@pytest.mark.parametrize("name", ["987654321", "0", "-1", "acme", "9" * 30])
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_there_is_no_other_folder(program, folder, method, name):
    answer = getattr(program, method)(f"/api/v2/clients/{name}")

    assert (answer.status_code, answer.json()["message"]) == (
        404,
        "Entry not found -- The specified object could not be found",
    )


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"name": "Blue Corp"}, {"name": "Blue Corp"}),
        ({"description": "Address: 1 Street"}, {"description": "Address: 1 Street"}),
        ({"is_active": False}, {"is_active": False}),
        ({"is_active": "false", "name": "B"}, {"is_active": False, "name": "B"}),
        ({"user_id": 1, "id": 5, "shoe_size": 43}, {}),
        ({}, {}),
    ],
)
def test_a_folder_is_changed(program, folder, user, given, changed):
    before = program.get(f"/api/v2/clients/{folder.pk}").json()

    answer = program.put(f"/api/v2/clients/{folder.pk}", given, format="json")

    assert answer.status_code == 200
    assert {**answer.json(), "extended_info": 0} == {**before, **changed, "extended_info": 0}
    assert Event.objects.filter(name="company.updated").count() == bool(changed)


def test_what_is_neither_true_nor_false_is_not_recognized(program, folder):
    answer = program.put(f"/api/v2/clients/{folder.pk}", {"is_active": "maybe"}, format="json")

    assert (answer.status_code, answer.json()["message"]) == (400, "Parameter is_active not recognized.")


def test_a_folder_is_deleted_and_its_leads_stay(program, account, folder):
    lead = LeadFactory(account=account, client_folder=folder)

    answer = program.delete(f"/api/v2/clients/{folder.pk}")

    lead.refresh_from_db()
    assert (answer.status_code, answer.json()) == (200, {"id": folder.pk})
    assert lead.client_folder is None
    assert program.get(f"/api/v2/clients/{folder.pk}").status_code == 404


def test_a_key_that_may_only_read_makes_none(account, user):
    raw = create_key(account, name="reader", scopes=["companies:read"], by=user)[1]
    client = APIClient(headers={"X-API-KEY": raw})

    assert client.get("/api/v2/clients").status_code == 200
    assert client.post("/api/v2/clients", {"name": "Blue"}, format="json").json()["message"] == (
        "Unauthorized: the user has not the privileges to do this action."
    )
