"""While sending is held every page says so, and those whom it concerns decide."""

from __future__ import annotations

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from outreach import fence
from outreach.models import Campaign, Fence
from tests.factories import AccountFactory, CampaignFactory

INDEX, PAGE = reverse("admin:index"), reverse("admin:confirm_sending")


@pytest.fixture
def held(account, settings, tmp_path):
    settings.DATA = tmp_path
    yield Fence.objects.create(
        installation="a" * 32, beats=5, beat_at=timezone.now(), held_at=timezone.now(),
        reason="an older state of the database was restored",
    )  # fmt: skip
    fence.forget()


@pytest.fixture
def operator(db):
    from pipelime.accounts.operators import make_operator

    return make_operator(email="op@example.com", password="long enough words")


def test_nothing_is_said_while_mail_is_sent(browser):
    assert "No mail is sent" not in browser.get(INDEX).content.decode()


def test_every_page_says_that_and_why_sending_is_held(client, seller, held):
    client.force_login(seller)

    for page in (INDEX, reverse("admin:outreach_message_changelist")):
        shown = client.get(page).content.decode()
        assert "an older state of the database was restored" in shown
        assert PAGE not in shown
    assert client.get(PAGE).status_code == 403


def test_an_operator_confirms_and_pauses_campaigns(client, operator, held, account):
    campaign = CampaignFactory(account=account, status=Campaign.Status.STARTED)
    client.force_login(operator)

    assert client.get(PAGE).status_code == 200
    client.post(PAGE, {"pause": ""})

    campaign.refresh_from_db()
    held.refresh_from_db()
    assert (campaign.status, held.held_at, held.confirmed_by) == ("PAUSED", None, "op@example.com")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="at home the database is SQLite")
def test_at_home_the_administrator_of_the_only_account_confirms(browser, held):
    assert PAGE in browser.get(INDEX).content.decode()

    browser.post(PAGE, {"go": ""})

    assert fence.held() is None


def test_of_several_accounts_no_administrator_decides_for_the_others(browser, held):
    AccountFactory()

    assert browser.post(PAGE, {"go": ""}).status_code == 403
    assert fence.held() is not None
