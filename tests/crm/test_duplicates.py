"""Duplicates of a lead: by title and key fields, among the leads that one may see."""

import pytest

from crm.duplicates import MOST, duplicates_of
from crm.leads import create_lead, delete_lead
from crm.opening import furnish
from pipelime.accounts.models import Account
from tests.factories import LeadFactory, UserFactory


@pytest.fixture
def sales(account):
    furnish(account)
    return account


@pytest.fixture
def lead(sales, user):
    return create_lead(sales, by=user, title="Loretta Inc.", description="Email: n@loretta.com\nPhone: 80-12")


def found(lead, seen_by=None):
    return [(duplicate.lead.pk, duplicate.matches) for duplicate in duplicates_of(lead, seen_by=seen_by)]


def test_what_matches_is_said_the_title_first(lead, sales, user):
    both = create_lead(
        sales, by=user, title="LORETTA  inc.", description="Phone: 8012\nEmail: N@Loretta.com", owner=user
    )
    phone = create_lead(sales, by=user, title="Other", description="Phone: (80) 12")
    create_lead(sales, by=user, title="Loretta", description="Email: x@loretta.com\nMobile: 8012")

    assert found(lead) == [
        (both.pk, [("title", "LORETTA  inc."), ("email", "N@Loretta.com"), ("phone", "8012")]),
        (phone.pk, [("phone", "(80) 12")]),
    ]
    assert found(phone) == [(lead.pk, [("phone", "80-12")]), (both.pk, [("phone", "8012")])]


def test_an_address_in_free_text_makes_no_duplicate(lead, sales, user):
    create_lead(sales, by=user, title="Other", description="Met n@loretta.com")

    assert found(lead) == []


def test_deleted_leads_and_those_of_others_are_no_duplicates(lead, sales, user):
    gone = create_lead(sales, by=user, title="Loretta Inc.")
    delete_lead(gone, by=user)
    LeadFactory(title="Loretta Inc.")

    assert found(lead) == []


def test_nobody_learns_of_leads_that_they_do_not_see(lead, sales, user):
    sales.lead_visibility = Account.Visibility.OWN
    sales.save()
    seller = UserFactory(account=sales, sees_unassigned=False)
    hidden = create_lead(sales, by=user, title="Loretta Inc.", owner=user)
    own = create_lead(sales, by=user, title="x", description="Phone: 8012", owner=seller)

    assert [pk for pk, _ in found(lead, seen_by=seller)] == [own.pk]
    assert [pk for pk, _ in found(lead, seen_by=user)] == [hidden.pk, own.pk]


def test_at_most_a_hundred_are_named_the_oldest_first(lead, sales):
    others = LeadFactory.create_batch(MOST + 1, account=sales, step=lead.step, title="Loretta Inc.")

    assert [pk for pk, _ in found(lead)] == [other.pk for other in others[:MOST]]


def test_queries_do_not_grow_with_duplicates(lead, sales, user, django_assert_num_queries):
    text = "Email: n@loretta.com\nPhone: 80-12"
    for _ in range(5):
        create_lead(sales, by=user, title="Loretta Inc.", description=text, owner=user, tags=["x"])

    with django_assert_num_queries(7):
        assert len(duplicates_of(lead, seen_by=user)) == 5
