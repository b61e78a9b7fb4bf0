"""Searches over the account's own contacts."""

import pytest

from outreach.models import ContactSearch
from pipelime.api.moments import utc_text
from pipelime.events.models import Event
from tests.factories import CompanyFactory, ContactFactory

URL = "/api/v1/lead-database/searches"


@pytest.fixture
def people(account):
    acme = CompanyFactory(account=account, name="Acme", domain="acme.example")
    return [
        ContactFactory(
            account=account,
            first_name="Ada",
            last_name="Byron",
            job_title="Chief Technology Officer",
            location="Berlin, Germany",
            company=acme,
            custom_fields={"industry": "Software", "company_size": "11-50"},
        ),
        ContactFactory(account=account, job_title="Accountant", location="Berlin"),
        ContactFactory(
            account=account, job_title="CTO", location="Paris", custom_fields={"industry": "Steel"}
        ),
    ]


def search(client, **given):
    return client.post(URL, {"name": "Founders", **given}, format="json")


def test_a_search_is_complete_when_it_is_answered(sendpilot, people):
    answer = search(sendpilot, filters={"locations": ["berlin"]}, limit=50)

    found = ContactSearch.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": f"search_{found.uid.hex}",
        "name": "Founders",
        "status": "completed",
        "progress": {"requested": 50, "found": 2, "percent_complete": 100},
        "created_at": utc_text(found.created_at),
        "completed_at": utc_text(found.completed_at),
    }
    assert sendpilot.get(f"{URL}/search_{found.uid.hex}/status").json() == answer.json()
    assert Event.objects.filter(name="contact_search.completed").count() == 1


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [0, 1, 2]),
        ({"job_titles": ["technology", "CTO"]}, [0, 2]),
        ({"job_titles": ["technology", "CTO"], "locations": ["Paris"]}, [2]),
        ({"industries": ["software"]}, [0]),
        ({"company_sizes": ["11-50", "51-200"]}, [0]),
        ({"job_titles": []}, [0, 1, 2]),
        ({"companies": ["acme"]}, [0]),
        ({"seniorities": ["boss"]}, []),
    ],
)
def test_every_filter_must_match_by_any_of_its_words(sendpilot, people, filters, found):
    search(sendpilot, filters=filters)

    assert ContactSearch.objects.get().contact_ids == [people[position].pk for position in found]


def test_results_come_in_pages_in_the_order_found(sendpilot, people):
    search(sendpilot, filters={"locations": ["Berlin"]})
    found = ContactSearch.objects.get()

    answer = sendpilot.get(f"{URL}/search_{found.uid.hex}/results?limit=1").json()

    assert (answer["search_id"], answer["pagination"]) == (
        f"search_{found.uid.hex}", {"total": 2, "page": 1, "limit": 1, "total_pages": 2},
    )  # fmt: skip
    assert answer["leads"] == [
        {
            "id": f"contact_{people[0].uid.hex}",
            "first_name": "Ada",
            "last_name": "Byron",
            "full_name": "Ada Byron",
            "email": people[0].email,
            "phone": None,
            "linkedin_url": None,
            "job_title": "Chief Technology Officer",
            "company": "Acme",
            "location": "Berlin, Germany",
            "country": None,
            "industry": "Software",
            "seniority": None,
            "company_linkedin_url": None,
            "website": "acme.example",
            "employees": "11-50",
        }
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": ""}, "name is required and must be a string"),
        ({"limit": 1001}, "limit must be from 1 to 1,000, not 1001"),
        ({"limit": "ten"}, "limit must be a whole number"),
        ({"filters": {"hobbies": ["chess"]}}, "'hobbies' is no filter; use job_titles, locations, companies"),
        ({"filters": {"job_titles": "CTO"}}, "filters.job_titles must be an array of"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(sendpilot, given, message):
    answer = search(sendpilot, **given)

    assert answer.status_code == 400
    assert message in answer.json()["message"]
