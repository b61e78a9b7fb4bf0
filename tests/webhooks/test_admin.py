"""Webhooks in the workspace: of every kind, with their secrets shown once and what can be done with them."""

from __future__ import annotations

import pytest

from crm.opening import furnish
from pipelime.accounts.models import Account
from tests.backoffice.rows import address
from tests.factories import EndpointFactory
from webhooks.endpoints import create_endpoint, disable_endpoint
from webhooks.models import Delivery, Endpoint

URL = "https://hooks.example.com/in"
VENDOR = {"kind": "propipelines:url", "url": URL, "event": "lead.creation"}
BY_MAIL = {"kind": "propipelines:email", "email": "ada@example.com", "event": "lead.deleted"}


@pytest.fixture
def vendors(account, user):
    furnish(account)
    return create_endpoint(
        account, by=user, dialect="propipelines", events=["lead.step.changed.to.Sales.Proposal"], url=URL
    )[0]


def errors(answer) -> dict:
    return dict(answer.context["adminform"].form.errors)


def test_the_page_offers_every_kind_and_every_event(browser, account):
    furnish(account)

    form = browser.get(address(Endpoint, "add")).context["adminform"].form

    events = {name for _, group in form.fields["event"].choices[1:] for name, _ in group}
    assert [label for _, label in form.fields["kind"].choices] == [
        "Standard Webhooks, to a URL", "Pro Pipe Lines, to a URL", "Pro Pipe Lines, to a mail address",
        "SendPilot, to a URL",
    ]  # fmt: skip
    assert {"lead.creation", "prospect.created", "lead.step.changed.to.Sales.Closing"} <= events


def test_a_webhook_of_a_vendor_gets_a_signing_key_that_is_shown_once(browser):
    answer = browser.post(address(Endpoint, "add"), {**VENDOR, "name": "Billing"})

    endpoint = Endpoint.objects.get()
    assert (endpoint.dialect, endpoint.events, endpoint.target) == ("propipelines", ["lead.creation"], URL)
    assert (answer.context["secret"], answer.context["title"]) == (endpoint.secret, "The secret of Billing")
    page = browser.get(address(Endpoint, "change", endpoint.pk))
    assert endpoint.secret.encode() not in page.content


def test_a_webhook_of_sendpilot_is_made_tested_switched_off_and_on_and_rotated(browser):
    answer = browser.post(
        address(Endpoint, "add"),
        {"kind": "sendpilot:url", "url": URL, "events": "message.received, lead.updated"},
    )
    endpoint = Endpoint.objects.get()

    assert (endpoint.dialect, endpoint.events) == ("sendpilot", ["message.received", "lead.updated"])
    assert answer.context["secret"] == endpoint.secret
    assert endpoint.secret.encode() not in browser.get(address(Endpoint, "change", endpoint.pk)).content

    browser.post(address(Endpoint, "press", endpoint.pk, "test"))
    assert "webhook.test" in Delivery.objects.get().body

    browser.post(address(Endpoint, "press", endpoint.pk, "disable"))
    assert not Endpoint.objects.get().is_enabled
    browser.post(address(Endpoint, "press", endpoint.pk, "enable"))
    assert Endpoint.objects.get().is_enabled

    rotated = browser.post(address(Endpoint, "press", endpoint.pk, "rotate"))
    assert rotated.context["secret"] == Endpoint.objects.get().secret != endpoint.secret


def test_a_name_that_sendpilot_does_not_have_is_refused_with_those_it_has(browser):
    answer = browser.post(
        address(Endpoint, "add"), {"kind": "sendpilot:url", "url": URL, "events": "contact.created"}
    )

    assert "message.received" in errors(answer)["events"][0]
    assert not Endpoint.objects.exists()


def test_a_notification_has_no_secret_to_show(browser):
    answer = browser.post(address(Endpoint, "add"), BY_MAIL, follow=True)

    endpoint = Endpoint.objects.get()
    assert (endpoint.target_type, endpoint.target) == ("email", "ada@example.com")
    assert "secret" not in answer.context
    assert endpoint.secret.encode() not in answer.content


@pytest.mark.parametrize(
    ("form", "field", "says"),
    [
        ({**VENDOR, "event": ""}, "event", "is no event"),
        ({**VENDOR, "url": ""}, "url", "needs a URL"),
        ({**BY_MAIL, "email": ""}, "email", "needs an address"),
        ({**VENDOR, "on_menu": "on"}, "on_menu", "lead.manual.trigger"),
        ({"url": URL, "events": "leed.*"}, "events", "is no event"),
        ({**VENDOR, "kind": "telex:url"}, "kind", "valid choice"),
    ],
)
def test_what_will_not_do_is_said_at_its_field(browser, form, field, says):
    answer = browser.post(address(Endpoint, "add"), form)

    assert says in errors(answer)[field][0]
    assert not Endpoint.objects.exists()


def test_a_manual_trigger_may_be_put_into_the_menu(browser):
    browser.post(address(Endpoint, "add"), {**VENDOR, "event": "lead.manual.trigger", "on_menu": "on"})

    assert Endpoint.objects.on_menu().count() == 1


def test_the_same_webhook_twice_is_refused_on_the_page(browser):
    browser.post(address(Endpoint, "add"), VENDOR)

    answer = browser.post(address(Endpoint, "add"), VENDOR)

    assert answer.context["adminform"].form.non_field_errors() == [f"lead.creation is sent to {URL} already"]
    assert Endpoint.objects.count() == 1


def test_an_advanced_event_needs_its_plan(browser, account):
    Account.objects.filter(pk=account.pk).update(plan=Account.Plan.STARTER)

    answer = browser.post(address(Endpoint, "add"), BY_MAIL)

    assert "need the plan Professional" in answer.context["adminform"].form.non_field_errors()[0]


def test_the_event_of_a_vendor_s_webhook_is_changed(browser, vendors):
    page = browser.get(address(Endpoint, "change", vendors.pk)).context["adminform"].form
    browser.post(address(Endpoint, "change", vendors.pk), {"url": URL, "event": "lead.deleted"})

    assert page.initial["event"] == "lead.step.changed.to.Sales.Proposal"
    assert not {"email", "events"} & set(page.fields)
    assert Endpoint.objects.get().events == ["lead.deleted"]


def test_an_event_whose_step_was_renamed_is_still_shown(browser, vendors):
    Endpoint.objects.update(events=["lead.step.changed.to.Sales.Gone"])

    form = browser.get(address(Endpoint, "change", vendors.pk)).context["adminform"].form

    assert form.fields["event"].choices[-1][0] == "lead.step.changed.to.Sales.Gone"


def test_our_own_webhook_keeps_its_patterns(browser, account):
    endpoint = EndpointFactory(account=account, events=["lead.*", "contact.created"])

    browser.post(
        address(Endpoint, "change", endpoint.pk),
        {"url": endpoint.url, "events": "lead.* contact.created", "name": "A"},
    )

    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.events) == ("A", ["lead.*", "contact.created"])


def test_why_a_webhook_is_disabled_is_shown(browser, vendors, user):
    disable_endpoint(vendors, by=user, reason="Its API key was revoked")

    assert b"Its API key was revoked" in browser.get(address(Endpoint, "change", vendors.pk)).content


def test_a_test_is_sent_by_a_button(browser, vendors):
    browser.post(address(Endpoint, "press", vendors.pk, "test"))

    assert Delivery.objects.get().event_name == "endpoint.tested"


def test_the_list_names_targets_of_every_kind(browser, vendors):
    browser.post(address(Endpoint, "add"), {**BY_MAIL, "name": "Alarm"})

    page = browser.get(address(Endpoint, "changelist")).content.decode()

    assert "Alarm: ada@example.com" in page
    assert URL in page


def test_others_may_look_at_webhooks_and_change_none(client, seller, vendors, account):
    client.force_login(seller)
    for endpoint in (vendors, EndpointFactory(account=account)):
        page = client.get(address(Endpoint, "change", endpoint.pk))
        refused = client.post(address(Endpoint, "change", endpoint.pk), {"url": f"{URL}/stolen"})

        assert (page.status_code, refused.status_code) == (200, 403)
        assert endpoint.events[0] in page.content.decode()
        assert endpoint.secret.encode() not in page.content
