"""The dashboard's figures over the API."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from crm.pipelines import create_pipeline
from pipelime.accounts.models import Account
from tests.factories import CampaignFactory, ContactFactory, EventFactory, LeadFactory, MessageFactory

QUIET = {"sent": 0, "replied": 0, "bounced": 0, "opened": 0, "ambiguous": 0, "open_rate": None}


@pytest.fixture
def steps(account, user):
    return list(
        create_pipeline(account, by=user, name="Sales", steps=["In", "Out"]).steps.order_by("position")
    )


def test_an_empty_account_has_figures_too(native, steps):
    answer = native.get("/api/dashboard/stats")

    assert answer.status_code == 200
    assert answer.json() == {
        "contacts": 0,
        "leads": {
            "total": 0,
            "by_step": [
                {"pipeline": "Sales", "step": "In", "count": 0, "amount": "0.00"},
                {"pipeline": "Sales", "step": "Out", "count": 0, "amount": "0.00"},
            ],
        },
        "campaigns": {"DRAFT": 0, "STARTED": 0, "PAUSED": 0, "FINISHED": 0},
        "messages": {"today": QUIET, "last_30_days": QUIET},
    }


def test_leads_are_added_up_by_step_in_the_account_s_currency(native, account, steps):
    ContactFactory(account=account)
    ContactFactory(account=account, deleted_at=timezone.now())
    LeadFactory(account=account, step=steps[0], amount="10.50", currency="EUR")
    LeadFactory(account=account, step=steps[0], amount="0.25")
    LeadFactory(account=account, step=steps[0], amount="99", currency="USD")
    LeadFactory(account=account, step=steps[1], amount="7", deleted_at=timezone.now())

    figures = native.get("/api/dashboard/stats").json()

    assert figures["contacts"] == 1
    assert figures["leads"]["total"] == 3
    assert [(step["count"], step["amount"]) for step in figures["leads"]["by_step"]] == [
        (3, "10.75"),
        (0, "0.00"),
    ]


@time_machine.travel("2030-06-15T12:00:00Z", tick=False)
def test_mail_of_today_and_of_the_month_is_counted_apart(native, account):
    now = timezone.now()
    for age in (timedelta(0), timedelta(days=20), timedelta(days=40)):
        MessageFactory(account=account, state="sent", sent_at=now - age)
    EventFactory(account=account, name="message.replied", at=now - timedelta(days=20))
    CampaignFactory(account=account, status="STARTED")

    figures = native.get("/api/dashboard/stats").json()

    assert figures["messages"]["today"] == {**QUIET, "sent": 1}
    assert figures["messages"]["last_30_days"] == {**QUIET, "sent": 2, "replied": 1}
    assert figures["campaigns"] == {"DRAFT": 3, "STARTED": 1, "PAUSED": 0, "FINISHED": 0}


def test_a_person_counts_only_the_leads_that_they_may_see(client, account, seller, user, steps):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    LeadFactory(account=account, step=steps[0], owner=seller)
    LeadFactory(account=account, step=steps[0], owner=user)
    client.force_login(seller)

    assert client.get("/api/dashboard/stats").json()["leads"]["total"] == 1


def test_another_account_s_rows_are_not_counted(native, stranger, steps):
    ContactFactory(account=stranger.account)
    MessageFactory(account=stranger.account, state="sent", sent_at=timezone.now())

    figures = native.get("/api/dashboard/stats").json()

    assert (figures["contacts"], figures["messages"]["today"]["sent"]) == (0, 0)
