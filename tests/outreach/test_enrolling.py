from datetime import UTC, datetime

import pytest
import time_machine
from django.utils import timezone

from crm.contacts import create_contact, update_contact
from crm.models import Contact
from outreach.blocking import block, suppress
from outreach.enrolling import enrol
from outreach.models import Enrolment
from pipelime.errors import Invalid
from tests.factories import CampaignFactory, ContactFactory, EnrolmentFactory, SequenceStepFactory


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


def of_channels(account, *channels: str):
    campaign = CampaignFactory(account=account)
    for number, channel in enumerate(channels, 1):
        SequenceStepFactory(account=account, campaign=campaign, number=number, channel=channel)
    return campaign


@pytest.mark.parametrize(
    ("channels", "left_out"),
    [
        (["email"], {"no_email": 1}),
        (["linkedin_invitation", "call"], {"no_linkedin": 1}),
        (["linkedin_message", "email"], {"no_email": 1, "no_linkedin": 1}),
        (["call", "task"], {}),
    ],
)
def test_contacts_must_be_reachable_by_every_channel_of_the_steps(account, user, channels, left_out):
    ContactFactory(account=account, email="", linkedin_url="https://www.linkedin.com/in/ada")
    ContactFactory(account=account, email="bob@example.com")

    result = enrol(of_channels(account, *channels), everybody(), by=user)

    assert result.left_out == left_out
    assert result.added == 2 - sum(left_out.values())


def test_a_place_keeps_the_primary_address_and_the_time_zone_of_its_contact(account, user):
    contact = create_contact(
        account,
        by=user,
        emails=[{"address": "old@example.com"}, {"address": "Main@Example.com", "is_primary": True}],
        time_zone="Asia/Tokyo",
    )

    enrol(CampaignFactory(account=account), everybody(), by=user)
    before = Enrolment.objects.get()
    update_contact(contact, by=user, time_zone="Europe/Paris")

    assert (before.address, before.time_zone) == ("Main@Example.com", "Asia/Tokyo")
    assert Enrolment.objects.get().time_zone == "Europe/Paris"


@pytest.mark.parametrize(
    ("zone", "due_at"),
    [
        ("America/Los_Angeles", datetime(2026, 5, 4, 23, tzinfo=UTC)),  # it is Thursday afternoon there
        ("", datetime(2026, 5, 3, 23, tzinfo=UTC)),  # early on Friday, a holiday: until early on Monday
    ],
)
def test_the_delay_of_the_first_step_is_counted_on_the_clock_of_its_windows(account, user, zone, due_at):
    campaign = CampaignFactory(
        account=account, time_zone="Europe/London", window_zone="contact", holidays="FR"
    )
    SequenceStepFactory(account=account, campaign=campaign, delay_business_days=1)
    ContactFactory(account=account, time_zone=zone)

    with time_machine.travel(datetime(2026, 4, 30, 23, tzinfo=UTC), tick=False):
        enrol(campaign, everybody(), by=user)

    assert Enrolment.objects.get().due_at == due_at


def test_a_contact_that_loses_its_address_stays_where_no_mail_is_written(account, user):
    contact = create_contact(account, by=user, first_name="Ada", email="ada@example.com")
    for campaign in (of_channels(account, "call"), of_channels(account, "email")):
        type(campaign).objects.update(options={"allow_in_other_campaigns": True})
        campaign.refresh_from_db()
        enrol(campaign, everybody(), by=user)

    update_contact(contact, by=user, emails=[])

    assert list(Enrolment.objects.order_by("pk").values_list("state", flat=True)) == ["waiting", "stopped"]


def test_a_template_takes_nobody(account, user):
    with pytest.raises(Invalid, match="A template takes no contacts"):
        enrol(CampaignFactory(account=account, is_template=True), everybody(), by=user)


def test_enrolling_asks_the_same_number_of_questions_of_one_contact_and_of_many(
    account, user, django_assert_max_num_queries
):
    ContactFactory.create_batch(60, account=account)
    campaign = of_channels(account, "email")

    with django_assert_max_num_queries(25):
        assert enrol(campaign, everybody(), by=user).added == 60
