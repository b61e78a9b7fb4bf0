from crm.contacts import create_contact, delete_contact, update_contact
from crm.models import Contact
from outreach.blocking import block, suppress
from outreach.models import Enrolment
from tests.factories import CampaignFactory, EnrolmentFactory, MessageFactory


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


def place_of(account, contact: Contact, **values) -> Enrolment:
    return EnrolmentFactory(account=account, contact=contact, address=contact.email, **values)


def test_a_deleted_contact_leaves_its_campaigns(account, user):
    contact = create_contact(account, by=user, email="a@example.com")
    place = place_of(account, contact)

    delete_contact(contact, by=user)

    place.refresh_from_db()
    assert (place.state, place.reason) == ("stopped", "the contact was deleted")


def test_mail_goes_to_the_address_that_the_contact_has_now(account, user):
    contact = create_contact(account, by=user, email="old@example.com")
    place = place_of(account, contact, state="in_flight")
    message = MessageFactory(account=account, enrolment=place)

    update_contact(contact, by=user, emails=[{"address": "new@example.com", "is_primary": True}])

    place.refresh_from_db()
    message.refresh_from_db()
    assert (place.address, place.state) == ("new@example.com", "waiting")
    assert message.state == "cancelled"


def test_an_address_that_the_contact_keeps_goes_on_being_used(account, user):
    contact = create_contact(account, by=user, email="old@example.com")
    place = place_of(account, contact)

    update_contact(
        contact,
        by=user,
        emails=[{"address": "new@example.com", "is_primary": True}, {"address": "old@example.com"}],
    )

    place.refresh_from_db()
    assert place.address == "old@example.com"


def test_a_contact_without_an_address_leaves_its_campaigns(account, user):
    contact = create_contact(account, by=user, email="old@example.com", first_name="Ada")
    place = place_of(account, contact)

    update_contact(contact, by=user, emails=[])

    place.refresh_from_db()
    assert (place.state, place.reason) == ("stopped", "the contact has no e-mail address any more")


def test_a_held_contact_that_was_mended_waits_again_and_its_campaign_goes_on(account, user):
    contact = create_contact(account, by=user, email="a@example.com")
    campaign = CampaignFactory(account=account, status="FINISHED")
    place = place_of(account, contact, campaign=campaign, state="held", reason="first_name is missing")

    update_contact(contact, by=user, first_name="Ada")

    place.refresh_from_db()
    campaign.refresh_from_db()
    assert (place.state, place.reason, campaign.status) == ("waiting", "", "STARTED")


def test_whoever_was_held_without_an_address_waits_again_once_there_is_one(account, user):
    contact = create_contact(account, by=user, first_name="Ada")
    place = EnrolmentFactory(account=account, contact=contact, address="", state="held")

    update_contact(contact, by=user, email="ada@example.com")

    place.refresh_from_db()
    assert (place.state, place.address, place.reason) == ("waiting", "ada@example.com", "")


def test_a_change_of_somebody_else_releases_nobody(account, user):
    held = place_of(account, create_contact(account, by=user, email="a@example.com"), state="held")
    other = create_contact(account, by=user, email="b@example.com")

    update_contact(other, by=user, first_name="Ada")

    held.refresh_from_db()
    assert held.state == "held"
