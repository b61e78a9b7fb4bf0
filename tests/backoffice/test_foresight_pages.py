"""The pages that show what a campaign will do, what came of it, and why a contact gets nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from outreach.models import Campaign
from pipelime.scope import account_scope
from tests.factories import (
    CampaignFactory,
    ContactFactory,
    EnrolmentFactory,
    MailboxFactory,
    MessageFactory,
    SequenceStepFactory,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def browser(client, user):
    client.force_login(user)
    return client


@pytest.fixture
def campaign(account) -> Campaign:
    campaign = CampaignFactory(account=account, name="Spring", time_zone="Europe/Paris")
    campaign.mailboxes.add(MailboxFactory(account=account, email="ann@example.com"))
    SequenceStepFactory(account=account, campaign=campaign)
    return campaign


@pytest.fixture
def enrol(account, campaign):
    def make(first_name: str, **given):
        contact = ContactFactory(account=account, first_name=first_name, last_name="Blue")
        values = {"account": account, "campaign": campaign, "contact": contact, "due_at": NOON}
        return EnrolmentFactory(**values | given)

    return make


def shown(browser, page: str, *arguments, query: str = "") -> str:
    answer = browser.get(reverse(f"admin:{page}", args=arguments) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_plan_shows_the_minute_on_the_campaign_s_clock_and_who_gets_nothing(browser, campaign, enrol):
    enrol("Bo")
    enrol("Cy", state="held", reason="last_name is missing")

    page = shown(browser, "outreach_campaign_plan", campaign.pk)

    assert "1 step for 1 contact; 1 left out." in page
    assert "Wednesday, 4 March 2026" in page
    assert '<td class="pl-clock">13:00</td>' in page  # noon in UTC
    assert "Hello Bo" in page
    assert "ann@example.com" in page
    assert "Last_name is missing" in page
    assert "This campaign is draft" in page


def test_a_mail_that_cannot_be_written_says_so_in_the_plan(browser, campaign, enrol):
    enrol("")

    assert "cannot be written" in shown(browser, "outreach_campaign_plan", campaign.pk)


def test_a_long_plan_goes_on_on_the_next_page_from_the_same_moment(
    browser, campaign, enrol, monkeypatch, at_noon
):
    monkeypatch.setattr("outreach.admin.foresight.ROWS_SHOWN", 2)
    for name in ("Bo", "Cy", "Di"):
        enrol(name)

    first = browser.get(reverse("admin:outreach_campaign_plan", args=[campaign.pk]))
    at_noon.shift(timedelta(minutes=30))
    second = browser.get(first.wsgi_request.path + first.context["later"])

    assert [row["one"].place.contact.first_name for _, rows in first.context["days"] for row in rows] == [
        "Bo",
        "Cy",
    ]
    ((_, rows),) = second.context["days"]
    assert [(row["clock"], row["one"].place.contact.first_name) for row in rows] == [("13:00", "Di")]
    assert second.context["later"] == ""


@pytest.mark.parametrize(
    "query", ["?until=soon", "?until=1999-01-01", "?now=never", "?from=x&until=2999-01-01"]
)
def test_an_address_that_was_typed_wrongly_shows_some_plan(browser, campaign, query):
    assert "Nothing comes by then" in shown(browser, "outreach_campaign_plan", campaign.pk, query=query)


def test_figures_show_rates_with_their_ranges(browser, campaign, enrol, account):
    for number in range(10):
        answered = {"replied_at": NOON} if number < 5 else {}
        place = enrol("Bo", state="finished")
        MessageFactory(account=account, enrolment=place, state="sent", sent_at=NOON, **answered)

    page = shown(browser, "outreach_campaign_stats", campaign.pk)

    assert "50.0%; 95 % sure: 23.7% to 76.3%" in page
    assert "4 March 2026: 10 sent, 5 replied" in page
    assert "1 · E-mail" in page


def test_figures_of_a_campaign_without_messages_are_a_page_too(browser, campaign):
    assert "nothing delivered yet" in shown(browser, "outreach_campaign_stats", campaign.pk)


def test_the_page_of_a_contact_says_why_nothing_comes(browser, enrol):
    place = enrol("Bo")

    page = shown(browser, "outreach_why_not", place.contact.pk)

    assert "what comes next, or why not" in page
    assert "campaign_draft" in page
    assert "The campaign has not been started." in page


def test_the_page_of_a_contact_asks_for_it_afterwards(browser, enrol):
    contact = enrol("Bo").contact
    address = reverse("admin:outreach_why_not", args=[contact.pk])

    page = shown(browser, "crm_contact_change", contact.pk)

    assert f'hx-get="{address}" hx-trigger="load"' in page
    assert "campaign_draft" not in page


def test_a_contact_without_campaigns_has_no_such_part(browser, account):
    address = reverse("admin:outreach_why_not", args=[contact_id := ContactFactory(account=account).pk])

    assert address not in shown(browser, "crm_contact_change", contact_id)


def test_why_another_account_s_contact_gets_nothing_is_not_said(browser, stranger):
    with account_scope(stranger.account):
        foreign = ContactFactory(account=stranger.account)

    assert browser.get(reverse("admin:outreach_why_not", args=[foreign.pk])).status_code == 404


@pytest.mark.parametrize("page", ["outreach_campaign_plan", "outreach_campaign_stats"])
def test_another_account_s_campaign_looks_missing(browser, stranger, page):
    with account_scope(stranger.account):
        foreign = CampaignFactory(account=stranger.account)

    assert browser.get(reverse(f"admin:{page}", args=[foreign.pk])).status_code == 404


@pytest.mark.parametrize("page", ["outreach_campaign_plan", "outreach_campaign_stats"])
def test_nobody_reads_them_without_a_login(client, campaign, page):
    assert client.get(reverse(f"admin:{page}", args=[campaign.pk])).status_code == 302
