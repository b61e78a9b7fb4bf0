from django.utils import timezone

from crm.models import Contact
from outreach.blocking import block, suppress
from outreach.enrolling import enrol
from outreach.models import Enrolment
from tests.factories import CampaignFactory, ContactFactory, EnrolmentFactory


def everybody():
    return Contact.objects.all()


def test_contacts_are_added_once_whoever_asks_again(account, user):
    campaign = CampaignFactory(account=account)
    ContactFactory.create_batch(3, account=account)

    first, again = enrol(campaign, everybody(), by=user), enrol(campaign, everybody(), by=user)

    assert (first.added, first.left_out) == (3, {})
    assert (again.added, again.left_out) == (0, {"already_in_campaign": 3})
    assert Enrolment.objects.count() == 3


def test_each_contact_left_out_has_its_reason(account, user):
    campaign = CampaignFactory(account=account)
    ContactFactory(account=account, email="")
    ContactFactory(account=account, email="no@example.com")
    ContactFactory(account=account, email="x@blocked.example")
    ContactFactory(account=account, deleted_at=timezone.now())
    busy = ContactFactory(account=account)
    EnrolmentFactory(account=account, contact=busy, campaign=CampaignFactory(account=account))
    suppress(account.pk, "no@example.com", cause="unsubscribed", source="a test")
    block(account, by=user, value="blocked.example")

    result = enrol(campaign, everybody(), by=user)

    assert result.added == 0
    assert result.left_out == {
        "no_email": 1,
        "unsubscribed": 1,
        "blocked": 1,
        "deleted": 1,
        "in_other_campaign": 1,
    }


def test_a_contact_in_another_campaign_may_be_allowed(account, user):
    campaign = CampaignFactory(account=account, options={"allow_in_other_campaigns": True})
    busy = ContactFactory(account=account)
    EnrolmentFactory(account=account, contact=busy, campaign=CampaignFactory(account=account))

    assert enrol(campaign, everybody(), by=user).added == 1


def test_an_address_that_said_no_stays_out_after_a_new_import(account, user):
    contact = ContactFactory(account=account, email="No@Example.com")
    suppress(account.pk, "no@example.com", cause="unsubscribed", source="a test")
    contact.delete()
    ContactFactory(account=account, email="no@EXAMPLE.com")

    result = enrol(CampaignFactory(account=account), everybody(), by=user)

    assert result.left_out == {"unsubscribed": 1}


def test_a_finished_campaign_goes_on_with_new_contacts(account, user):
    campaign = CampaignFactory(account=account, status="FINISHED")
    ContactFactory(account=account)

    enrol(campaign, everybody(), by=user)

    campaign.refresh_from_db()
    assert campaign.status == "STARTED"
