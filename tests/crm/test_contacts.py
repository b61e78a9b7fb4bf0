"""Contacts: who they are, what identifies them, and what history says of them."""

import pytest
from django.utils import timezone

from crm.companies import create_company, delete_company, update_company
from crm.contacts import create_contact, delete_contact, update_contact
from crm.models import Company, Contact, ContactEmail, Tag
from pipelime.errors import Conflict, Invalid, NotFound
from pipelime.events.models import Event
from pipelime.scope import account_scope
from pipelime.search.documents import find
from tests.factories import (
    AccountFactory,
    CompanyFactory,
    ContactFactory,
    FieldFactory,
    LeadFactory,
    UserFactory,
)
from tests.threads import all_at_once


def names_of_events(subject):
    return list(Event.objects.about(subject).order_by("pk").values_list("name", flat=True))


def addresses_of(contact):
    return [(row.address, row.is_primary) for row in contact.emails.order_by("-is_primary", "id")]


def test_a_contact_is_created_with_all_its_parts(account, user):
    FieldFactory(account=account, key="budget", name="Budget")

    contact = create_contact(
        account,
        by=user,
        email="Ada@Example.com",
        first_name=" Ada ",
        last_name="Lovelace",
        company="Analytical Engines",
        tags=["Hot", "hot", "Partner"],
        custom_fields={"budget": "5000"},
        owner=user,
        linkedin_url="linkedin.com/in/Ada",
    )

    contact = Contact.objects.get()
    assert contact.name == "Ada Lovelace"
    assert contact.email == "Ada@Example.com"
    assert contact.emails.get().email_key == "ada@example.com"
    assert contact.company.name == "Analytical Engines"
    assert [tag.name for tag in contact.tags.all()] == ["Hot", "Partner"]
    assert contact.custom_fields == {"budget": "5000"}
    assert contact.owner == user
    assert contact.linkedin_url == "https://www.linkedin.com/in/ada"
    assert contact.version == 1


def test_creating_a_contact_is_remembered_with_everything_it_has(account, user):
    contact = create_contact(account, by=user, email="ada@example.com", company="Engines", tags=["hot"])

    event = Event.objects.about(contact).get()
    assert event.name == "contact.created"
    assert event.actor == user
    assert event.data["object"]["email"] == "ada@example.com"
    assert event.data["object"]["company"]["name"] == "Engines"
    assert event.data["object"]["tags"] == ["hot"]


def test_a_contact_is_found_by_its_address_and_company(account, user):
    contact = create_contact(account, by=user, email="ada@example.com", company="Engines")

    assert find("contact", "ada@example.com") == [contact.pk]
    assert find("contact", "engin") == [contact.pk]


def test_a_known_address_is_a_conflict_that_names_the_contact(account, user):
    known = create_contact(account, by=user, email="ada@example.com")

    with pytest.raises(Conflict) as conflict:
        create_contact(account, by=user, email="ADA@example.com", first_name="Somebody")

    assert conflict.value.existing == str(known.uid)
    assert Contact.objects.count() == 1


def test_any_address_of_a_contact_identifies_it(account, user):
    known = create_contact(
        account, by=user, emails=[{"address": "a@example.com"}, {"address": "b@example.com"}]
    )

    with pytest.raises(Conflict) as conflict:
        create_contact(account, by=user, email="b@example.com")

    assert conflict.value.existing == str(known.uid)


def test_two_accounts_may_know_the_same_person(account, user):
    create_contact(account, by=user, email="ada@example.com")
    other = AccountFactory()

    with account_scope(other):
        create_contact(other, by=None, email="ada@example.com")

        assert Contact.objects.count() == 1


def test_a_contact_that_nothing_identifies_is_refused(account, user):
    with pytest.raises(Invalid, match="Nothing identifies"):
        create_contact(account, by=user, job_title="Engineer", company="Engines")

    assert not Contact.objects.exists()
    assert not Company.objects.exists()


@pytest.mark.parametrize("facts", [{"first_name": "Ada"}, {"last_name": "L"}, {"phone": "+33 1"}])
def test_a_name_or_a_phone_number_is_enough(account, user, facts):
    contact = create_contact(account, by=user, **facts)

    assert contact.email is None
    assert str(contact) == next(iter(facts.values()))


def test_without_an_address_the_linkedin_page_identifies(account, user):
    known = create_contact(account, by=user, first_name="Ada", linkedin_url="https://linkedin.com/in/ada")

    with pytest.raises(Conflict) as conflict:
        create_contact(account, by=user, first_name="Countess", linkedin_url="www.linkedin.com/in/ADA/")

    assert conflict.value.existing == str(known.uid)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"emails": [{"address": "a@b"}]}, "emails"),
        ({"emails": "a@example.com"}, "emails"),
        ({"first_name": "x" * 251}, "first_name"),
        ({"first_name": "a\x00b"}, "first_name"),
        ({"first_name": "\ud800"}, "first_name"),
        ({"first_name": 5}, "first_name"),
        ({"first_name": "A", "linkedin_url": "https://example.com/in/ada"}, "linkedin_url"),
        ({"first_name": "A", "custom_fields": {"nowhere": 1}}, "custom_fields"),
        ({"first_name": "A", "tags": "hot"}, "tags"),
        ({"first_name": "A", "company": "x" * 251}, "company"),
        ({"first_nam": "A"}, "first_nam"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(account, user, facts, field):
    with pytest.raises(Invalid) as refusal:
        create_contact(account, by=user, **facts)

    assert list(refusal.value.fields) == [field]
    assert not Contact.objects.exists()


def test_an_unknown_custom_field_is_told_with_the_known_ones(account, user):
    FieldFactory(account=account, key="budget")
    FieldFactory(account=account, key="region")

    with pytest.raises(Invalid, match="'size' is no custom field of a contact; known are: budget, region"):
        create_contact(account, by=user, email="a@example.com", custom_fields={"size": 1})


def test_an_owner_of_another_account_looks_missing(account, user, stranger):
    with pytest.raises(Invalid, match="There is no such user"):
        create_contact(account, by=user, email="a@example.com", owner=stranger)


def test_a_company_of_another_account_looks_missing(account, user):
    foreign = CompanyFactory()

    with pytest.raises(Invalid, match="There is no such company"):
        create_contact(account, by=user, email="a@example.com", company=foreign)


def test_exactly_one_address_is_primary(account, user):
    contact = create_contact(
        account,
        by=user,
        emails=[
            {"address": "a@example.com"},
            {"address": "b@example.com", "is_primary": True, "label": "work"},
        ],
    )

    assert addresses_of(contact) == [("b@example.com", True), ("a@example.com", False)]
    assert contact.emails.get(is_primary=True).label == "work"


def test_further_addresses_keep_the_order_they_were_given_in(account, user):
    contact = create_contact(
        account, by=user, emails=[f"{name}@example.com" for name in ("p", "c", "a", "b")]
    )

    update_contact(contact, by=user, emails=[f"{name}@example.com" for name in ("p", "c", "b", "z", "y")])

    assert [address[0] for address, _ in addresses_of(contact)] == ["p", "c", "b", "z", "y"]


def test_two_primary_addresses_are_refused(account, user):
    with pytest.raises(Invalid, match="only one address can be the primary"):
        create_contact(
            account,
            by=user,
            emails=[
                {"address": "a@example.com", "is_primary": True},
                {"address": "b@example.com", "is_primary": True},
            ],
        )


def test_an_update_changes_only_what_is_given(account, user):
    contact = create_contact(account, by=user, email="ada@example.com", first_name="Ada", job_title="Poet")

    update_contact(contact, by=user, job_title="Engineer")

    contact.refresh_from_db()
    assert (contact.first_name, contact.job_title, contact.version) == ("Ada", "Engineer", 2)
    event = Event.objects.about(contact).latest("pk")
    assert event.name == "contact.updated"
    assert event.data["changes"] == {"job_title": ["Poet", "Engineer"]}
    assert event.data["object"]["job_title"] == "Engineer"


def test_an_update_that_changes_nothing_says_nothing(account, user):
    contact = create_contact(account, by=user, email="ada@example.com", first_name="Ada", tags=["hot"])

    update_contact(contact, by=user, first_name="Ada", email="ada@example.com", tags=["HOT"])

    contact.refresh_from_db()
    assert contact.version == 1
    assert names_of_events(contact) == ["contact.created"]


def test_a_new_email_takes_the_place_of_the_primary_one(account, user):
    contact = create_contact(
        account, by=user, emails=[{"address": "a@example.com", "label": "work"}, {"address": "b@example.com"}]
    )

    update_contact(contact, by=user, email="c@example.com")

    assert addresses_of(contact) == [("c@example.com", True), ("b@example.com", False)]
    assert Event.objects.about(contact).latest("pk").data["changes"]["email"] == [
        "a@example.com",
        "c@example.com",
    ]


def test_naming_a_further_address_makes_it_the_primary_one(account, user):
    contact = create_contact(
        account, by=user, emails=[{"address": "a@example.com"}, {"address": "b@example.com"}]
    )

    update_contact(contact, by=user, email="b@example.com")

    assert addresses_of(contact) == [("b@example.com", True), ("a@example.com", False)]


def test_taking_the_primary_address_away_moves_the_next_one_up(account, user):
    contact = create_contact(
        account, by=user, emails=[{"address": "a@example.com"}, {"address": "b@example.com"}]
    )

    update_contact(contact, by=user, email=None)

    assert addresses_of(contact) == [("b@example.com", True)]


def test_the_last_address_cannot_go_when_nothing_else_identifies(account, user):
    contact = create_contact(account, by=user, email="a@example.com")

    with pytest.raises(Invalid, match="Nothing identifies"):
        update_contact(contact, by=user, email=None)

    assert addresses_of(contact) == [("a@example.com", True)]


def test_an_update_to_somebody_elses_address_is_a_conflict(account, user):
    known = create_contact(account, by=user, email="a@example.com")
    contact = create_contact(account, by=user, email="b@example.com")

    with pytest.raises(Conflict) as conflict:
        update_contact(contact, by=user, email="a@example.com", first_name="Changed")

    assert conflict.value.existing == str(known.uid)
    contact.refresh_from_db()
    assert contact.first_name == ""
    assert addresses_of(contact) == [("b@example.com", True)]


def test_custom_fields_are_laid_over_the_stored_ones(account, user):
    FieldFactory(account=account, key="budget")
    FieldFactory(account=account, key="region")
    contact = create_contact(
        account, by=user, email="a@example.com", custom_fields={"budget": "1", "region": "x"}
    )

    update_contact(contact, by=user, custom_fields={"budget": "2", "region": None})

    contact.refresh_from_db()
    assert contact.custom_fields == {"budget": "2"}


def test_a_stale_copy_overwrites_nothing(account, user):
    contact = create_contact(account, by=user, email="a@example.com", first_name="Ada")
    stale = Contact.objects.get()
    update_contact(contact, by=user, last_name="Lovelace")

    update_contact(stale, by=user, first_name="Augusta")

    stored = Contact.objects.get()
    assert (stored.name, stored.version) == ("Augusta Lovelace", 3)


def test_a_deleted_contact_frees_its_addresses(account, user):
    contact = create_contact(account, by=user, email="ada@example.com")

    delete_contact(contact, by=user)
    again = create_contact(account, by=user, email="ada@example.com")

    assert list(Contact.objects.alive()) == [again]
    assert ContactEmail.objects.get(contact=contact).address == "ada@example.com"
    assert names_of_events(contact) == ["contact.created", "contact.deleted"]
    assert find("contact", "ada@example.com") == [again.pk]


def test_a_deleted_contact_leaves_its_leads(account, user):
    contact = create_contact(account, by=user, email="ada@example.com")
    lead = LeadFactory(account=account, contact=contact)

    delete_contact(contact, by=user)

    lead.refresh_from_db()
    assert (lead.contact, lead.version) == (None, 2)


def test_a_deleted_contact_cannot_be_changed(account, user):
    contact = create_contact(account, by=user, email="ada@example.com")
    delete_contact(Contact.objects.get(), by=user)

    with pytest.raises(NotFound):
        update_contact(contact, by=user, first_name="Ghost")


def test_a_company_is_found_whatever_its_case_and_blanks(account, user):
    company = create_company(account, by=user, name="Analytical Engines")

    contact = create_contact(account, by=user, email="a@example.com", company=" analytical  ENGINES ")

    assert contact.company == company
    assert Company.objects.count() == 1


def test_a_deleted_company_leaves_its_people_without_one(account, user):
    contact = create_contact(account, by=user, email="a@example.com", company="Engines")

    delete_company(Company.objects.get(), by=user)

    contact.refresh_from_db()
    assert contact.company is None
    assert (
        create_contact(account, by=user, email="b@example.com", company="Engines").company != contact.company
    )


def test_tags_are_made_once_whatever_their_case(account, user):
    create_contact(account, by=user, email="a@example.com", tags=["Hot"])
    create_contact(account, by=user, email="b@example.com", tags=["HOT", "new"])

    assert [tag.name for tag in Tag.objects.all()] == ["Hot", "new"]


def test_renaming_a_company_is_left_to_the_indexer(account, user, bells, django_capture_on_commit_callbacks):
    create_contact(account, by=user, email="a@example.com", company="Engines")

    with django_capture_on_commit_callbacks(execute=True):
        update_company(Company.objects.get(), by=user, name="Difference Engines")

    assert "pipelime.search.tasks.index_due" in bells


@pytest.mark.parametrize("facts", [{"email": "a@example.com"}, {"linkedin_url": "linkedin.com/in/ada"}])
@pytest.mark.django_db(transaction=True)
def test_of_two_creations_at_once_one_wins_and_one_is_told(facts):
    account = AccountFactory()

    def create():
        try:
            create_contact(account, by=None, first_name="Ada", tags=["hot"], company="Engines", **facts)
        except Conflict as conflict:
            return conflict.existing
        return "created"

    outcomes = all_at_once([create] * 2, account=account)

    with account_scope(account):
        contact = Contact.objects.get()
        assert sorted(outcomes) == sorted(["created", str(contact.uid)])
        assert Company.objects.count() == 1


def test_a_disabled_person_gets_no_contacts(account, user):
    gone = UserFactory(account=account, disabled_at=timezone.now())
    contact = ContactFactory(account=account)

    with pytest.raises(Invalid, match="is disabled"):
        update_contact(contact, by=user, owner=gone)
