"""The page of a sending domain: a checklist, a record to copy, and buttons."""

from __future__ import annotations

import pytest
from django.utils import timezone

from outreach.deliverability.domains import dkim_record, make_key
from tests.factories import CampaignFactory, MailboxFactory, SendingDomainFactory, SequenceStepFactory

FINDINGS = [
    {"check": "spf", "level": "problem", "found": "no SPF record", "advice": "Add <this>."},
    {"check": "mx", "level": "ok", "found": "mx.acme.example", "advice": ""},
]


@pytest.fixture
def domain(account):
    MailboxFactory(account=account, email="bo@acme.example")
    return SendingDomainFactory(
        account=account, name="acme.example", findings=FINDINGS, checked_at=timezone.now()
    )


@pytest.fixture
def path(domain) -> str:
    return f"/admin/outreach/sendingdomain/{domain.pk}"


def test_the_page_lists_what_the_dns_says(browser, path):
    content = browser.get(f"{path}/change/").content.decode()

    assert "Add &lt;this&gt;." in content
    assert "mx.acme.example" in content
    assert "bo@acme.example" in content


def test_the_list_says_what_is_to_mend(browser, domain):
    assert b"to mend" in browser.get("/admin/outreach/sendingdomain/").content


def test_the_dns_is_asked_by_a_button(browser, path, domain, settings):
    settings.DNS_RESOLVER = "tests.names.Empty"

    browser.post(f"{path}/press/check/")

    domain.refresh_from_db()
    assert [finding["level"] for finding in domain.findings] == ["problem", "problem", "warning", "warning"]


def test_a_key_is_made_shown_and_used(browser, path, domain, user):
    make_key(domain, by=user)

    content = browser.get(f"{path}/change/").content.decode()
    browser.post(f"{path}/press/sign/")

    domain.refresh_from_db()
    assert dkim_record(domain) in content.replace("&#x2B;", "+").replace("&amp;", "&")
    assert "PRIVATE" not in content
    assert domain.signs is True


def test_the_selector_can_be_changed(browser, path, domain):
    browser.post(f"{path}/change/", {"dkim_selector": "s1"})

    domain.refresh_from_db()
    assert domain.dkim_selector == "s1"


def test_only_administrators_change_a_domain(client, seller, path, domain):
    client.force_login(seller)

    assert client.post(f"{path}/press/make_key/").status_code == 403
    domain.refresh_from_db()
    assert not domain.dkim_key


def test_a_campaign_s_links_are_looked_at_by_a_button(browser, account, monkeypatch):
    campaign = CampaignFactory(account=account)
    variant = {"key": "A", "weight": 1, "subject": "Hello", "body": "https://a.example/x"}
    SequenceStepFactory(account=account, campaign=campaign, variants=[variant])
    monkeypatch.setattr("outreach.deliverability.links.asked", lambda url: "answers 404")

    answer = browser.post(f"/admin/outreach/campaign/{campaign.pk}/press/links/", follow=True)

    assert b"The link https://a.example/x answers 404." in answer.content
