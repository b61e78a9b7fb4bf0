"""Contacts and companies over the API, shape by shape."""

from crm.models import Company, Contact
from tests.api.moments import in_full
from tests.factories import CompanyFactory, ContactFactory, FieldFactory


def test_a_contact_is_answered_in_full(native, account):
    FieldFactory(account=account, kind="contact", name="Budget", key="budget")
    body = {
        "email": "Ada@Example.com",
        "emails": [{"address": "ada@home.example", "label": "home"}],
        "first_name": "Ada",
        "last_name": "Lovelace",
        "company": "Analytical Engines",
        "job_title": "Analyst",
        "phone": "+44 20 7946 0000",
        "linkedin_url": "https://www.linkedin.com/in/ada",
        "location": "London",
        "tags": ["Hot", "hot", "press"],
        "custom_fields": {"budget": "5000"},
    }

    answer = native.post("/api/contacts", body, format="json")

    contact, company = Contact.objects.get(), Company.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(contact.uid),
        "email": contact.email,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "company": {"id": str(company.uid), "name": "Analytical Engines"},
        "job_title": "Analyst",
        "phone": "+44 20 7946 0000",
        "linkedin_url": contact.linkedin_url,
        "location": "London",
        "time_zone": "",
        "emails": [
            {"address": contact.email, "label": "", "is_primary": True},
            {"address": "ada@home.example", "label": "home", "is_primary": False},
        ],
        "tags": ["Hot", "press"],
        "custom_fields": {"budget": "5000"},
        "status": "active",
        "created_at": in_full(contact.created_at),
        "updated_at": in_full(contact.updated_at),
    }
    assert native.get(f"/api/contacts/{contact.uid}").json() == answer.json()
    assert native.get("/api/contacts").json()["data"] == [answer.json()]


def test_a_known_address_is_a_conflict_that_names_the_contact(native, account):
    contact = ContactFactory(account=account, email="ada@example.com")

    answer = native.post("/api/contacts", {"email": "ADA@example.com"}, format="json")

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "CONFLICT"
    assert answer.json()["error"]["details"] == {"existing_id": [str(contact.uid)]}
    assert Contact.objects.count() == 1


def test_the_company_is_taken_by_id_by_name_or_as_null(native, account):
    acme = CompanyFactory(account=account, name="Acme")
    contact = ContactFactory(account=account)
    path = f"/api/contacts/{contact.uid}"

    by_id = native.patch(path, {"company": str(acme.uid)}, format="json")
    by_null = native.patch(path, {"company": None}, format="json")
    by_name = native.patch(path, {"company": "ACME"}, format="json")

    reference = {"id": str(acme.uid), "name": "Acme"}
    assert [answer.json()["company"] for answer in (by_id, by_null, by_name)] == [reference, None, reference]


def test_ids_of_another_account_s_rows_look_missing_in_bodies(native, account):
    foreign, contact = CompanyFactory(), ContactFactory(account=account)

    answer = native.patch(f"/api/contacts/{contact.uid}", {"company": str(foreign.uid)}, format="json")

    assert answer.status_code == 422
    assert answer.json()["error"]["details"] == {
        "company": [f"There is no company with the id '{foreign.uid}'"]
    }


def test_a_patch_changes_only_what_it_names(native, account):
    contact = ContactFactory(account=account, first_name="Ada", phone="1")

    answer = native.patch(f"/api/contacts/{contact.uid}", {"phone": "2"}, format="json")

    assert (answer.json()["first_name"], answer.json()["phone"]) == ("Ada", "2")


def test_a_deleted_contact_is_gone_and_its_address_free(native, account):
    contact = ContactFactory(account=account, email="ada@example.com")

    deleted = native.delete(f"/api/contacts/{contact.uid}")

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert native.get(f"/api/contacts/{contact.uid}").status_code == 404
    assert native.post("/api/contacts", {"email": "ada@example.com"}, format="json").status_code == 201


def test_a_wrong_part_of_a_list_is_named_by_its_place(native):
    body = {"emails": [{"address": "a@example.com"}, {"adress": "b@example.com"}]}

    answer = native.post("/api/contacts", body, format="json")

    assert answer.status_code == 422
    assert answer.json()["error"]["details"] == {
        "emails.1.adress": ["is no field here; did you mean address?"]
    }


def test_a_company_is_answered_in_full(native, account, user):
    body = {"name": "Acme", "domain": "acme.example", "is_client": True, "owner": str(user.uid)}

    answer = native.post("/api/companies", body, format="json")

    company = Company.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(company.uid),
        "name": "Acme",
        "domain": "acme.example",
        "description": "",
        "is_client": True,
        "is_active": True,
        "owner": {"id": str(user.uid), "name": user.name, "email": user.email},
        "custom_fields": {},
        "created_at": in_full(company.created_at),
        "updated_at": in_full(company.updated_at),
    }
    renamed = native.patch(f"/api/companies/{company.uid}", {"name": "Acme Ltd"}, format="json")
    assert renamed.json()["name"] == "Acme Ltd"
    assert [row["name"] for row in native.get("/api/companies?name=acme ltd").json()["data"]] == ["Acme Ltd"]
