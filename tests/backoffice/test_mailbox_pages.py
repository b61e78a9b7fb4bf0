"""Mailboxes in the browser: connecting at a provider, their pace and health, and what is to be settled."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from outreach.models import CapCounter, EmailAccount, MailFolder, Message
from tests import oauth_provider
from tests.factories import LeadFactory, MailboxFactory, MessageFactory

LIST = reverse("admin:outreach_emailaccount_changelist")


@pytest.fixture
def provider(settings):
    with oauth_provider.serving() as provider:
        settings.MAIL_PROVIDERS = {"google": provider.settings(), "microsoft": {"client_id": ""}}
        settings.OUTBOUND_ALLOW = ["127.0.0.1"]
        yield provider


def begin(browser) -> str:
    """The address that the page leads to."""
    page = browser.get(reverse("admin:outreach_emailaccount_connect", args=["google"]))
    assert page.status_code == 200
    return page.context["address"]


def come_back(browser, address: str):
    parts = urlsplit(address)
    return browser.get(f"{parts.path}?{parts.query}", follow=True)


def page_of(row) -> str:
    return reverse(f"admin:outreach_{row._meta.model_name}_change", args=[row.pk])


def test_a_mailbox_is_connected_at_its_provider(browser, user, provider, settings):
    address = begin(browser)
    asked = parse_qs(urlsplit(address).query)

    page = come_back(browser, provider.say_yes(address, "sam@example.com"))

    mailbox = EmailAccount.objects.get()
    assert asked["redirect_uri"][0].startswith(f"{settings.PIPELIME_URL}/admin/")
    assert asked["code_challenge_method"] == ["S256"]
    assert (mailbox.email, mailbox.login, mailbox.refresh_token) == ("sam@example.com", "google", "refresh-0")
    assert "sam@example.com is connected." in page.content.decode()
    assert "refresh-0" not in page.content.decode()


def test_only_providers_that_are_set_up_are_offered(browser, provider):
    page = browser.get(LIST).content.decode()

    assert "Connect a Google mailbox" in page
    assert "Microsoft" not in page
    assert browser.get(LIST + "connect/microsoft/").status_code == 404


def test_an_answer_that_this_session_did_not_ask_for_connects_nothing(browser, provider, client, user):
    stranger_s = provider.say_yes(begin(browser), "mallory@example.com")
    client.logout()
    client.force_login(user)

    page = come_back(client, stranger_s)

    assert "was not begun here" in page.content.decode()
    assert not EmailAccount.objects.exists()


def test_a_code_counts_once(browser, provider):
    back = provider.say_yes(begin(browser), "sam@example.com")
    come_back(browser, back)

    assert "was not begun here" in come_back(browser, back).content.decode()


def test_a_refusal_is_told_in_the_providers_words(browser, provider):
    back = provider.say_yes(begin(browser), "sam@example.com")
    state = parse_qs(urlsplit(back).query)["state"][0]

    page = browser.get(f"{urlsplit(back).path}?error=access_denied&state={state}", follow=True)

    assert "Google said: access_denied" in page.content.decode()
    assert not EmailAccount.objects.exists()


def test_only_administrators_connect_mailboxes(client, seller, provider):
    client.force_login(seller)

    assert client.get(LIST + "connect/google/").status_code == 403


def test_the_page_of_a_mailbox_says_how_it_is_doing(browser, account):
    mailbox = MailboxFactory(
        account=account, daily_limit=50, imap_host="imap.example.com", paused_at=timezone.now(),
        pause_reason="535 wrong password", ramp_up_from=10, ramp_up_by=5, ramp_up_on=timezone.now().date(),
    )  # fmt: skip
    CapCounter.objects.create(scope=f"mailbox:{mailbox.pk}", day=timezone.now().date(), used=7)
    MailFolder.objects.create(account=account, mailbox=mailbox, name="INBOX", last_error="NO such folder")
    MessageFactory(account=account, mailbox=mailbox, state="ambiguous")

    page = browser.get(page_of(mailbox)).content.decode()

    for words in (
        "535 wrong password", "7 of 10 (ramping up to 50)", "Test its servers, then resume it.",
        "INBOX cannot be read: NO such folder", "Nobody knows whether 1 of its mails arrived",
    ):  # fmt: skip
        assert words in page


def test_pace_is_set_in_the_form(browser, account):
    mailbox = MailboxFactory(account=account)
    form = browser.get(page_of(mailbox)).context["adminform"].form
    given = {name: form[name].value() for name in form.fields}
    values = {name: "" if value is None else value for name, value in given.items()}

    browser.post(page_of(mailbox), {**values, "gap_seconds": 90, "ramp_up_from": 20, "ramp_up_by": 10})

    mailbox.refresh_from_db()
    assert (mailbox.gap_seconds, mailbox.ramp_up_from, mailbox.ramp_up_by) == (90, 20, 10)
    assert mailbox.ramp_up_on is not None


def test_a_mailbox_at_a_provider_shows_no_server_to_change(browser, account, provider):
    mailbox = MailboxFactory(account=account, login="google", refresh_token="1//secret")

    page = browser.get(page_of(mailbox)).content.decode()

    assert "smtp_host" not in page
    assert "Connect again at Google" in page
    assert "1//secret" not in page


def test_doubts_are_listed_with_both_decisions(browser, account):
    doubt = MessageFactory(account=account, state="ambiguous")

    listed = browser.get(reverse("admin:outreach_message_changelist")).content.decode()
    page = browser.get(page_of(doubt)).content.decode()

    assert "?state__exact=ambiguous" in listed
    assert "It arrived" in page
    assert "Send it again" in page


def test_a_mail_to_a_lead_that_still_waits_can_be_withdrawn(browser, account):
    mail = MessageFactory(
        account=account, enrolment=None, campaign=None, contact_uid=None, to_address="a@b.example",
        campaign_name="", step_number=0, lead=LeadFactory(account=account), frozen={"subject": "Hello"},
    )  # fmt: skip

    browser.post(reverse("admin:outreach_message_press", args=[mail.pk, "withdraw"]))

    assert Message.objects.get().state == "cancelled"
