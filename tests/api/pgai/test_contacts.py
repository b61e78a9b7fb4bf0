"""PG:AI's contacts: its document's examples, its pages, and what it refuses."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from crm.models import Company, Contact
from pipelime.api.pgai.resources import LARGEST_PAGE
from pipelime.events.models import Event
from tests.factories import CompanyFactory, ContactFactory

CREATED = {
    "first_name": "Sarah",
    "last_name": "Connor",
    "email": "sarah@example.com",
    "job_title": "Director of Sales",
    "company": "Future Tech Inc",
    "linkedin_url": "https://linkedin.com/in/sarahconnor",
}
LISTED = {
    "data": [
        {
            "id": "c1d2e3f4-a5b6-7890-cdef-123456789012",
            "first_name": "Jane",
            "last_name": "Smith",
            "email": "jane@example.com",
            "job_title": "VP of Engineering",
            "company": "Acme Corporation",
            "linkedin_url": "https://linkedin.com/in/janesmith",
        },
    ],
    "pagination": {"page": 1, "limit": 25, "total": 2},
}
SHOWN = LISTED["data"][0] | {
    "location": "San Francisco, CA",
    "phone": "+1-555-0100",
    "created_at": "2026-01-15T09:00:00Z",
    "updated_at": "2026-03-10T14:30:00Z",
}


@pytest.fixture
def pgai(raw_key) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=raw_key)
    return client


@pytest.fixture
def jane(account) -> Contact:
    """The contact of the document's examples."""
    return ContactFactory(
        account=account,
        first_name="Jane",
        last_name="Smith",
        email="jane@example.com",
        job_title="VP of Engineering",
        company=CompanyFactory(account=account, name="Acme Corporation"),
        linkedin_url="https://linkedin.com/in/janesmith",
        location="San Francisco, CA",
        phone="+1-555-0100",
        created_at=timezone.datetime.fromisoformat("2026-01-15T09:00:00.123Z"),
    )


def shape(value):
    """Keys in order, and types: what a client's parser relies on."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    return [shape(item) for item in value] if isinstance(value, list) else type(value)


def test_the_list_has_the_document_s_shape(pgai, jane):
    answer = pgai.get("/v1/contacts?page=1&limit=25")

    assert answer.status_code == 200
    assert shape(answer.json()) == shape(LISTED)
    assert answer.json()["data"] == [LISTED["data"][0] | {"id": str(jane.uid)}]
    assert answer.json()["pagination"] == {"page": 1, "limit": 25, "total": 1}


def test_one_contact_has_the_document_s_shape(pgai, jane):
    answer = pgai.get(f"/v1/contacts/{jane.uid}")

    assert answer.status_code == 200
    assert shape(answer.json()) == shape(SHOWN)
    assert answer.json()["created_at"] == "2026-01-15T09:00:00Z"


def test_a_created_contact_has_the_document_s_shape(pgai):
    answer = pgai.post("/v1/contacts", CREATED, format="json")

    expected = {"id": "f4a5b6c7-d8e9-0123-abcd-456789012345"} | CREATED
    assert answer.status_code == 201
    assert shape(answer.json()) == shape(expected | {"created_at": "2026-03-12T10:00:00Z"})
    assert answer.json() | CREATED == answer.json()


def test_a_created_contact_is_stored_with_its_company_and_told_of(pgai):
    company = pgai.post("/v1/contacts", CREATED, format="json").json()["company"]
    pgai.post(
        "/v1/contacts", CREATED | {"email": "b@example.com", "company": "FUTURE tech inc"}, format="json"
    )

    assert company == "Future Tech Inc"
    assert Company.objects.get().name == "Future Tech Inc"
    assert Contact.objects.filter(company=Company.objects.get()).count() == 2
    assert Event.objects.filter(name="contact.created").count() == 2


@pytest.mark.parametrize("name", ["first_name", "last_name", "email"])
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_what_is_required_is_asked_for_by_name(pgai, name, blank):
    answer = pgai.post("/v1/contacts", CREATED | {name: blank}, format="json")

    assert answer.status_code == 400
    assert answer.json() == {"error": f"{name} is required"}
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"company": {"name": "Acme"}}, "company must be a string"),
        ({"email": "not an address"}, "email"),
        ({"linkedin_url": "https://example.com/jane"}, "linkedin_url"),
    ],
)
def test_a_wrong_value_is_refused_by_name(pgai, given, error):
    answer = pgai.post("/v1/contacts", CREATED | given, format="json")

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(error)
    assert not Contact.objects.exists()


def test_a_known_address_is_a_conflict(pgai, jane):
    answer = pgai.post("/v1/contacts", CREATED | {"email": "JANE@example.com"}, format="json")

    assert answer.status_code == 409
    assert answer.json() == {"error": "A contact with this e-mail address exists already"}
    assert Contact.objects.get() == jane


@pytest.mark.parametrize("name", ["01890000-0000-7000-8000-000000000000", "17", "c1d2e3f4"])
def test_an_unknown_contact_is_not_found(pgai, name):
    answer = pgai.get(f"/v1/contacts/{name}")

    assert answer.status_code == 404
    assert answer.json() == {"error": "Contact not found"}


def test_what_a_contact_lacks_is_null(pgai, account):
    ContactFactory(account=account, first_name="", last_name="Doe", email="")

    [row] = pgai.get("/v1/contacts").json()["data"]

    assert row.pop("id")
    assert row == dict.fromkeys(row) | {"last_name": "Doe"}


@pytest.mark.parametrize("size", ["limit", "per_page"])
def test_pages_follow_each_other_under_either_name(pgai, account, size):
    people = [str(ContactFactory(account=account).uid) for _ in range(5)]

    pages = [pgai.get(f"/v1/contacts?{size}=2&page={page}").json() for page in (1, 2, 3, 4)]

    assert [row["id"] for page in pages for row in page["data"]] == people
    assert [page["pagination"] for page in pages] == [
        {"page": page, "limit": 2, "total": 5} for page in (1, 2, 3, 4)
    ]


def test_a_page_holds_a_hundred_at_most_and_says_so(pgai, jane):
    answer = pgai.get("/v1/contacts?limit=1000")

    assert answer.json()["pagination"] == {"page": 1, "limit": LARGEST_PAGE, "total": 1}


@pytest.mark.parametrize("query", ["page=0", "page=-1", "limit=ten", "per_page=0", "page=99999999999"])
def test_a_page_that_cannot_be_is_refused_by_name(pgai, query):
    answer = pgai.get(f"/v1/contacts?{query}")

    name = query.partition("=")[0]
    assert answer.status_code == 400
    assert answer.json() == {"error": f'Query parameter "{name}" must be a whole number of at least 1'}


def test_a_page_costs_as_many_queries_with_many_rows_as_with_one(
    pgai, account, django_assert_max_num_queries
):
    for _ in range(6):
        ContactFactory(account=account, company=CompanyFactory(account=account))
    pgai.get("/v1/contacts")

    with django_assert_max_num_queries(7):
        answer = pgai.get("/v1/contacts")

    assert len(answer.json()["data"]) == 6
