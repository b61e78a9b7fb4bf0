from crm.contacts import create_contact, update_contact
from crm.models import Contact
from outreach.blocking import block, suppress


def status_of(contact: Contact) -> str:
    return Contact.objects.get(pk=contact.pk).status


def test_a_contact_that_comes_back_after_saying_no_is_unsubscribed_from_the_start(account, user):
    suppress(account.pk, "no@example.com", cause="unsubscribed", source="a link")

    contact = create_contact(account, by=user, email="No@example.com")

    assert status_of(contact) == "unsubscribed"


def test_a_contact_of_a_blocked_domain_is_blocked(account, user):
    block(account, by=user, value="example.com")

    assert status_of(create_contact(account, by=user, email="a@example.com")) == "blocked"
    assert status_of(create_contact(account, by=user, email="a@example.org")) == "active"


def test_an_address_added_later_counts_too(account, user):
    suppress(account.pk, "no@example.com", cause="bounced", source="550")
    contact = create_contact(account, by=user, email="yes@example.com")

    update_contact(contact, by=user, email="no@example.com")

    assert status_of(contact) == "bounced"
