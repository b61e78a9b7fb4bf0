"""The first page, its figures, and the demo that fills it."""

from __future__ import annotations

from decimal import Decimal

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
