import pytest

from crm.companies import company_named, create_company, delete_company, update_company
from crm.models import Company
from pipelime.errors import Invalid
from pipelime.events.models import Event
from pipelime.search import documents
from tests.factories import ContactFactory


def test_a_company_can_be_found_at_once(account, user):
    company = create_company(account, by=user, name="Loretta Inc.", domain="loretta.example")

    assert documents.find("company", "lor") == [company.pk]
    assert Event.objects.get().name == "company.created"


def test_a_new_name_replaces_the_old_words(account, user):
    company = create_company(account, by=user, name="Loretta Inc.")

    update_company(company, by=user, name="Navy")

    assert documents.find("company", "loretta") == []
    assert documents.find("company", "navy") == [company.pk]
    assert Event.objects.get(name="company.updated").data["changes"]["name"] == ["Loretta Inc.", "Navy"]


def test_a_company_needs_a_name(account, user):
    with pytest.raises(Invalid):
        create_company(account, by=user, name=" ")

    assert not Company.objects.exists()


def test_a_company_is_known_by_its_name_whatever_the_case(account, user):
    made = company_named(account, "Loretta  Inc.", by=user)

    assert company_named(account, "loretta inc.", by=user) == made
    assert Company.objects.count() == 1


def test_a_deleted_company_lets_its_people_go(account, user):
    company = create_company(account, by=user, name="Loretta Inc.")
    contact = ContactFactory(account=account, company=company)

    delete_company(company, by=user)

    contact.refresh_from_db()
    assert contact.company is None
    assert not Company.objects.alive().exists()
    assert documents.find("company", "loretta") == []
