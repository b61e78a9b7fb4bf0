"""What finds a lead: the addresses in its texts and the values of key fields, always as they are now."""

import importlib

import pytest
from django.apps import apps

from crm.comments import create_comment, delete_comment, update_comment
from crm.fields import create_field, delete_field, update_field
from crm.lead_keys import derive, emails_of
from crm.leads import create_lead, delete_lead, update_lead
from crm.models import Field, Lead, LeadKey
from crm.opening import furnish
from pipelime.scope import every_account
from pipelime.search.documents import find
from pipelime.search.models import IndexJob
from pipelime.search.tasks import index_due
from tests.factories import CommentFactory, LeadFactory


@pytest.fixture
def sales(account):
    furnish(account)
    return account


def keys_of(lead):
    """The lead's own before those of its comments."""
    rows = LeadKey.objects.filter(lead=lead).select_related("field")
    in_order = sorted(rows, key=lambda row: (row.comment_id or 0, row.pk))
    return [(row.field.name if row.field else "", row.value, row.value_key) for row in in_order]


def test_a_lead_is_found_by_what_its_description_says(sales, user):
    text = "Email: Ada@X.com\nPhone: +44 (0)20 7946\n---\nAsk bob@y.org"

    lead = create_lead(sales, by=user, title="L", description=text)

    assert keys_of(lead) == [
        ("", "Ada@X.com", "ada@x.com"),
        ("", "bob@y.org", "bob@y.org"),
        ("Email", "Ada@X.com", "ada@x.com"),
        ("Phone", "+44 (0)20 7946", "44207946"),
    ]
    assert list(Lead.objects.with_email(" ADA@x.com ")) == [lead]
    assert list(Lead.objects.with_email("bob@y.org")) == [lead]
    assert list(Lead.objects.with_key_value("phone", "44-20-7946")) == [lead]
    assert not Lead.objects.with_key_value("Email", "bob@y.org").exists()
    assert not Lead.objects.with_key_value("Firstname", "Ada").exists()


def test_keys_follow_the_description(sales, user):
    lead = create_lead(sales, by=user, title="L", description="Email: a@x.com\nPhone: 1")

    update_lead(lead, by=user, description="Email: b@x.com")

    assert keys_of(lead) == [("", "b@x.com", "b@x.com"), ("Email", "b@x.com", "b@x.com")]
    assert find("lead", "a@x.com") == []
    assert find("lead", "b@x.com") == [lead.pk]

    update_lead(lead, by=user, description="")

    assert keys_of(lead) == []


def test_an_update_of_something_else_leaves_the_rows_alone(sales, user):
    lead = create_lead(sales, by=user, title="L", description="Email: a@x.com", owner=user)
    before = list(LeadKey.objects.order_by("pk").values_list("pk", flat=True))

    update_lead(lead, by=user, starred=True, description="Email: a@x.com\nMet her", title="M")

    assert list(LeadKey.objects.order_by("pk").values_list("pk", flat=True)) == before


def test_a_value_stored_under_a_key_field_counts_where_the_description_says_nothing(sales, user):
    create_field(sales, by=user, kind="lead", name="VAT", is_key=True)
    lead = create_lead(sales, by=user, title="L", custom_fields={"vat": "FR 1", "email": "z@x.com"})

    assert [key[:2] for key in keys_of(lead)] == [("Email", "z@x.com"), ("VAT", "FR 1")]

    update_lead(lead, by=user, description="vat: FR 2")

    assert [key[:2] for key in keys_of(lead)] == [("Email", "z@x.com"), ("VAT", "FR 2")]


def test_comments_find_their_lead_while_they_say_so(sales, user):
    lead = create_lead(sales, by=user, title="L", description="Email: a@x.com")
    comment = create_comment(lead, by=user, content="Write to c@z.net and a@x.com")

    assert list(Lead.objects.with_email("c@z.net")) == [lead]
    assert find("lead", "c@z.net") == [lead.pk]
    assert emails_of([lead]) == {lead.pk: ["a@x.com", "c@z.net"]}

    update_comment(comment, by=user, content="Write to d@z.net")

    assert emails_of([lead]) == {lead.pk: ["a@x.com", "d@z.net"]}
    assert find("lead", "c@z.net") == []

    update_lead(lead, by=user, description="Email: b@x.com")
    assert emails_of([lead]) == {lead.pk: ["b@x.com", "d@z.net"]}
    assert find("lead", "d@z.net") == [lead.pk]

    delete_comment(comment, by=user)

    assert emails_of([lead]) == {lead.pk: ["b@x.com"]}
    assert find("lead", "d@z.net") == []


def test_a_comment_on_a_deleted_lead_does_not_bring_it_back_into_the_search(sales, user):
    lead = create_lead(sales, by=user, title="L")
    comment = create_comment(lead, by=user, content="c@z.net")
    delete_lead(lead, by=user)

    update_comment(comment, by=user, content="d@z.net")

    assert find("lead", "d@z.net") == []
    assert [key[1] for key in keys_of(lead)] == ["d@z.net"]


def test_addresses_of_many_leads_take_one_query(sales, user, django_assert_num_queries):
    leads = [create_lead(sales, by=user, title="L", description=f"Email: a{n}@x.com") for n in range(3)]
    create_comment(leads[0], by=user, content="a0@x.com z@x.com")
    leads.append(create_lead(sales, by=user, title="M"))

    with django_assert_num_queries(1):
        found = emails_of(leads)

    assert list(found.values()) == [["a0@x.com", "z@x.com"], ["a1@x.com"], ["a2@x.com"], []]


def test_an_address_beyond_the_words_of_the_search_is_found(sales, user):
    lead = create_lead(sales, by=user, title="L", description="x" * 5000 + " a@x.com")

    assert find("lead", "a@x.com") == [lead.pk]


def test_a_field_that_becomes_a_key_finds_the_leads_there_are(sales, user, account):
    lead = create_lead(sales, by=user, title="L", description="Job: Captain\nWeb: x.com")
    field = Field.objects.get(kind="lead", name="Job")

    update_field(field, by=user, is_key=True)
    index_due()

    assert [key[:2] for key in keys_of(lead)] == [("Job", "Captain")]
    assert find("lead", "captain") == [lead.pk]

    update_field(field, by=user, name="Role")
    index_due()

    assert keys_of(lead) == []


def test_a_new_key_field_and_a_deleted_one_are_followed(sales, user):
    lead = create_lead(sales, by=user, title="L", description="VAT: FR 1")

    field = create_field(sales, by=user, kind="lead", name="VAT", is_key=True)
    index_due()

    assert keys_of(lead) == [("VAT", "FR 1", "fr 1")]

    delete_field(field, by=user)

    assert keys_of(lead) == []


def test_indexing_again_derives_leads_and_comments_that_were_written_without_keys(account, user):
    furnish(account)
    with_both = LeadFactory(account=account, description="Email: a@x.com")
    CommentFactory(account=account, lead=with_both, content="b@x.com")
    LeadFactory(account=account, description="Nothing")
    LeadFactory(description="Email: stranger@x.com")
    migration = importlib.import_module("crm.migrations.0007_find_leads_by_what_they_say")

    with every_account():
        migration.derive_keys(apps, None)
    index_due()

    assert keys_of(with_both) == [
        ("", "a@x.com", "a@x.com"),
        ("Email", "a@x.com", "a@x.com"),
        ("", "b@x.com", "b@x.com"),
    ]
    assert LeadKey.objects.count() == 3
    assert find("lead", "b@x.com") == [with_both.pk]


def test_deriving_again_takes_the_same_queries_for_more_leads(sales, user, django_assert_num_queries):
    leads = [create_lead(sales, by=user, title="L", description=f"Email: a{n}@x.com") for n in range(5)]
    LeadKey.objects.all().delete()

    with django_assert_num_queries(5):
        derive([lead.pk for lead in leads])

    assert LeadKey.objects.count() == 10


def test_a_change_of_definitions_leaves_a_job_for_each_thousand_leads(sales, user):
    LeadFactory.create_batch(3, account=sales)
    IndexJob.objects.all().delete()

    create_field(sales, by=user, kind="lead", name="VAT", is_key=True)
    create_field(sales, by=user, kind="company", name="VAT", is_key=True)

    [job] = IndexJob.objects.all()
    assert (job.kind, len(job.ids)) == ("lead", 3)
