"""The first page, its figures, and the demo that fills it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from crm.models import Contact, Lead
from outreach.models import Campaign, Enrolment
from pipelime.accounts.models import Account
from pipelime.backoffice.figures import dashboard
from tests import factories


def test_a_new_account_is_told_what_to_do_next(browser):
    answer = browser.get("/admin/")

    steps = {step["title"]: step["done"] for step in answer.context["next_steps"]}
    assert steps == {
        "Bring in your contacts": False, "Say where you are": True, "Connect a mailbox": False,
        "Write a campaign": False, "Open your first lead": False,
    }  # fmt: skip


def test_the_page_shows_the_figures_of_the_api(browser, account, user):
    step = factories.StepFactory(account=account, name="Closing")
    factories.LeadFactory(account=account, step=step, amount=Decimal(1500), currency="EUR")
    factories.LeadFactory(account=account, step=step, amount=Decimal(500), currency="EUR")

    answer = browser.get("/admin/")

    [closing] = [row for row in dashboard(account, user)["leads"]["by_step"] if row["step"] == "Closing"]
    [shown] = answer.context["pipelines"][0]["steps"]
    assert shown | {"width": 0} == closing | {"width": 0}
    assert "2,000 EUR" in answer.content.decode()


def test_mails_that_wait_for_a_decision_are_shown_first(browser, account):
    factories.MessageFactory(account=account, state="ambiguous")

    answer = browser.get("/admin/")

    assert "Nobody knows whether 1 mail arrived" in answer.content.decode()


def test_the_palette_finds_people_companies_and_leads(browser, account, user):
    from crm.companies import create_company
    from crm.contacts import create_contact
    from crm.leads import create_lead

    create_contact(account, by=user, first_name="Lorena", email="l@example.com")
    create_company(account, by=user, name="Lorentz Ltd")
    create_lead(account, by=user, title="Loretta pilot", step=factories.StepFactory(account=account))

    answer = browser.get("/admin/search/", {"s": "lor", "extended": "1"})

    assert [result.title for result in answer.context["results"]] == [
        "Lorena",
        "Loretta pilot",
        "Lorentz Ltd",
    ]


def test_the_demo_fills_an_empty_account(account, user, settings, capsys):
    settings.SINK_PORT = 2525
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    factories.StepFactory(account=account, pipeline__is_default=True)
    Account.objects.filter(pk=account.pk).update(postal_address="")

    call_command("demo", account=account.slug)

    account.refresh_from_db()
    assert (Contact.objects.count(), Lead.objects.count()) == (200, 41)
    assert list(Campaign.objects.values_list("status", flat=True)) == ["STARTED", "STARTED"]
    assert Enrolment.objects.count() == 90
    assert account.postal_address.startswith("Limetree Works")


def test_the_demo_leaves_an_account_with_content_alone(account, user):
    factories.ContactFactory(account=account)

    with pytest.raises(CommandError, match="has content already"):
        call_command("demo", account=account.slug)

    assert Contact.objects.count() == 1


def test_the_demo_of_an_unknown_account_says_so(db):
    with pytest.raises(CommandError, match="There is no account 'nowhere'"):
        call_command("demo", account="nowhere")
