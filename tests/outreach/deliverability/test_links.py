import pytest

from outreach.deliverability import links
from outreach.deliverability.links import broken, static_urls
from tests.factories import CampaignFactory, SequenceStepFactory
from tests.receivers import HttpReceiver


@pytest.fixture
def receiver(settings):
    with HttpReceiver() as receiver:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{receiver.port}"]
        yield receiver


def campaign_with(account, body: str):
    campaign = CampaignFactory(account=account)
    SequenceStepFactory(
        account=account, campaign=campaign, variants=[{"key": "A", "weight": 1, "subject": "x", "body": body}]
    )
    return campaign


def test_addresses_are_found_in_text_and_html_each_once():
    texts = [
        "See https://a.example/x, https://a.example/x#part.",
        '<a href="https://b.example/?a=1&amp;b=2">b</a>',
    ]

    assert static_urls(texts) == ["https://a.example/x", "https://b.example/?a=1&b=2"]


def test_what_differs_by_contact_is_left_out():
    assert (
        static_urls(
            ["https://a.example/{{ first_name }}", "{{ unsubscribe_url }}", "https://a.example/?n={{ x }}"]
        )
        == []
    )


def test_a_link_that_answers_is_fine_and_not_asked_again(account, receiver):
    campaign = campaign_with(account, f"Look: {receiver.url}there")

    assert broken(campaign) == broken(campaign) == []
    assert [request.method for request in receiver.requests] == ["HEAD"]


def test_a_dead_link_is_named(account, receiver):
    receiver.statuses[:] = [404]
    campaign = campaign_with(account, f"Look: {receiver.url}gone")

    assert broken(campaign) == [f"The link {receiver.url}gone answers 404."]
    assert [request.method for request in receiver.requests] == ["HEAD", "GET"]


def test_private_addresses_are_not_reached(account, receiver, settings):
    settings.OUTBOUND_ALLOW = []

    [said] = broken(campaign_with(account, f"Look: {receiver.url}there"))

    assert "may not be reached" in said
    assert receiver.requests == []


def test_ten_links_are_asked_for_at_most(account, monkeypatch):
    asked = []
    monkeypatch.setattr(links, "asked", lambda url: asked.append(url) or "")

    broken(campaign_with(account, " ".join(f"https://example.com/{n}" for n in range(30))))

    assert len(asked) == 10
