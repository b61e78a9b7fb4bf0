"""Sending domains as callers of the API see them."""

import pytest

from outreach.models import SendingDomain
from pipelime.scope import every_account
from tests.api.moments import in_full
from tests.factories import CampaignFactory, MailboxFactory, SendingDomainFactory, SequenceStepFactory

SPF = {"check": "spf", "level": "problem", "found": "no SPF record", "advice": "Add one."}


@pytest.fixture
def domain(account):
    return SendingDomainFactory(account=account, name="acme.example", findings=[SPF])


def test_a_domain_is_answered_in_full_and_without_its_key(native, domain):
    answer = native.get(f"/api/sending-domains/{domain.uid}")

    assert answer.json() == {
        "id": str(domain.uid),
        "name": "acme.example",
        "findings": [SPF],
        "checked_at": None,
        "dkim_selector": "",
        "signs": False,
        "created_at": in_full(domain.created_at),
        "updated_at": in_full(domain.updated_at),
    }
    assert native.get("/api/sending-domains?name=ACME.example").json()["data"] == [answer.json()]


def test_the_dns_is_asked_on_demand(native, domain, settings):
    settings.DNS_RESOLVER = "tests.names.Empty"

    answer = native.post(f"/api/sending-domains/{domain.uid}/check", {}, format="json")

    levels = {finding["check"]: finding["level"] for finding in answer.json()["findings"]}
    assert answer.status_code == 200
    assert levels == {"spf": "problem", "dmarc": "problem", "mx": "warning", "dkim": "warning"}
    assert answer.json()["checked_at"] is not None


def test_a_key_is_made_published_and_used(native, domain):
    made = native.post(f"/api/sending-domains/{domain.uid}/dkim-key", {}, format="json").json()
    answer = native.patch(f"/api/sending-domains/{domain.uid}", {"signs": True}, format="json")

    assert (made["name"], made["type"]) == ("pipelime._domainkey.acme.example", "TXT")
    assert made["value"].startswith("v=DKIM1; k=rsa; p=")
    assert answer.json()["signs"] is True
    assert "PRIVATE" not in answer.content.decode() + str(made)
    with every_account():
        assert "PRIVATE" in SendingDomain.objects.get().dkim_key


def test_signing_without_a_key_is_refused_by_name(native, domain):
    answer = native.patch(f"/api/sending-domains/{domain.uid}", {"signs": True}, format="json")

    assert answer.status_code == 422
    assert "make a key" in answer.json()["error"]["details"]["signs"][0]


def test_a_campaign_s_check_tells_problems_and_warnings(native, account, domain):
    campaign = CampaignFactory(account=account)
    campaign.mailboxes.add(MailboxFactory(account=account, email="bo@acme.example", smtp_host="192.0.2.1"))
    variant = {"key": "A", "weight": 1, "subject": "Hello", "body": "http://192.0.2.9/gone"}
    SequenceStepFactory(account=account, campaign=campaign, variants=[variant])

    answer = native.get(f"/api/campaigns/{campaign.uid}/check?links=1").json()

    assert "acme.example, SPF: SPF could not be asked about just now." in " ".join(answer["warnings"])
    assert any(said.startswith("The link http://192.0.2.9/gone does not work") for said in answer["warnings"])
    assert answer["problems"] == []


def test_links_are_asked_for_only_on_demand(native, account, monkeypatch):
    asked = []
    monkeypatch.setattr("outreach.deliverability.links.asked", lambda url: asked.append(url) or "")
    campaign = CampaignFactory(account=account)
    variant = {"key": "A", "weight": 1, "subject": "Hello", "body": "https://a.example/x"}
    SequenceStepFactory(account=account, campaign=campaign, variants=[variant])

    native.get(f"/api/campaigns/{campaign.uid}/check")
    assert asked == []

    native.get(f"/api/campaigns/{campaign.uid}/check?links=true")
    assert asked == ["https://a.example/x"]


def test_a_test_mail_is_not_remembered_by_its_key(native, account, user, monkeypatch):
    from django.db import connection

    depths = []
    monkeypatch.setattr(
        "pipelime.api.native.campaigns.send_test",
        lambda *args, **kwargs: depths.append(len(connection.savepoint_ids)) or "250 ok",
    )
    contact = SequenceStepFactory(account=account)
    from tests.factories import ContactFactory

    body = {"contact_id": str(ContactFactory(account=account).uid), "to": "me@example.com"}
    path = f"/api/campaigns/{contact.campaign.uid}/test"

    native.post(path, body, format="json")
    native.post(path, body, format="json", headers={"Idempotency-Key": "one"})

    assert depths == [0, 0]
