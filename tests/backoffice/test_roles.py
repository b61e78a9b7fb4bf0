"""Who may do what: everybody sees, administrators set up, facts are changed by nobody."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client

from crm.models import ActivityType, Field, Lead, Pipeline, ReceivedMail, TagCategory
from outreach.models import EmailAccount
from pipelime.accounts.models import Account, ApiKey, Team, User
from pipelime.backoffice.admin import FactAdmin
from tests import factories
from tests.backoffice.rows import REGISTERED, address, row_of
from webhooks.models import Endpoint

SET_UP = [
    Account, ActivityType, ApiKey, EmailAccount, Endpoint, Field, Pipeline, TagCategory, Team, User,
]  # fmt: skip
FACTS = [model for model in REGISTERED if isinstance(admin.site._registry[model], FactAdmin)]


@pytest.fixture
def seller_browser(seller) -> Client:
    client = Client()
    client.force_login(seller)
    return client


SHOWN = [model for model in REGISTERED if model is not ReceivedMail]  # who sees mail follows from its lead


@pytest.mark.parametrize("model", SHOWN, ids=[model._meta.label for model in SHOWN])
def test_everybody_of_the_account_may_look(seller_browser, account, model):
    row = row_of(model, account)

    answer = seller_browser.get(address(model, "change", row.pk))

    assert answer.status_code == 200


@pytest.mark.parametrize(("whose", "status"), [("their own", 200), ("somebody's", 302), ("no", 302)])
def test_received_mail_is_read_by_those_who_see_its_lead(
    seller_browser, account, user, seller, whose, status
):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    owner = seller if whose == "their own" else user
    lead = factories.LeadFactory(account=account, owner=owner) if whose != "no" else None
    mail = factories.ReceivedMailFactory(account=account, lead=lead)

    answer = seller_browser.get(address(ReceivedMail, "change", mail.pk))

    assert answer.status_code == status


@pytest.mark.parametrize("model", SET_UP, ids=[model._meta.label for model in SET_UP])
def test_only_administrators_set_things_up(seller_browser, account, model):
    row = row_of(model, account)

    added = seller_browser.post(address(model, "add"), {})
    changed = seller_browser.post(address(model, "change", row.pk), {})
    deleted = seller_browser.post(address(model, "delete", row.pk), {"post": "yes"})

    assert [added.status_code, changed.status_code, deleted.status_code] == [403, 403, 403]


@pytest.mark.parametrize(
    ("model", "name"),
    [(model, button.name) for model in SET_UP for button in admin.site._registry[model].buttons],
    ids=str,
)
def test_only_administrators_press_their_buttons(seller_browser, account, model, name):
    row = row_of(model, account)

    answer = seller_browser.post(address(model, "press", row.pk, name))

    assert answer.status_code == 403


@pytest.mark.parametrize("model", FACTS, ids=[model._meta.label for model in FACTS])
def test_facts_are_changed_by_nobody(browser, account, model):
    row = row_of(model, account)

    added = browser.post(address(model, "add"), {})
    changed = browser.post(address(model, "change", row.pk), {})
    deleted = browser.post(address(model, "delete", row.pk), {"post": "yes"})

    assert [added.status_code, changed.status_code, deleted.status_code] == [403, 403, 403]


def test_a_button_is_not_pressed_by_looking_at_its_address(browser, account, user):
    lead = factories.LeadFactory(account=account, owner=user)

    answer = browser.get(address(Lead, "press", lead.pk, "won"))

    lead.refresh_from_db()
    assert answer.status_code == 403
    assert lead.status == Lead.Status.TODO


def test_leads_that_a_person_may_not_see_are_not_there(account, seller, user):
    account.lead_visibility = Account.Visibility.OWN
    account.save()
    hidden = factories.LeadFactory(account=account, owner=user, title="Secret merger")
    client = Client()
    client.force_login(seller)

    listed = client.get(address(Lead, "changelist"))
    opened = client.get(address(Lead, "change", hidden.pk))

    assert b"Secret merger" not in listed.content
    assert opened.status_code == 302


def test_history_does_not_tell_of_leads_that_a_person_may_not_see(account, seller, user):
    from crm.leads import create_lead

    account.lead_visibility = Account.Visibility.OWN
    account.save()
    step = factories.StepFactory(account=account)
    create_lead(account, by=user, title="Secret merger", step=step, owner=user)
    client = Client()
    client.force_login(seller)

    home, history = client.get("/admin/"), client.get("/admin/events/event/")

    assert b"Secret merger" not in home.content
    assert b"Secret merger" not in history.content


def test_history_does_not_tell_of_what_belongs_to_hidden_leads_and_lists(account, seller, user):
    from crm.follow_ups import add_task, create_follow_up
    from crm.prospecting import create_list

    account.lead_visibility = Account.Visibility.OWN
    account.save()
    hidden = factories.LeadFactory(account=account, owner=user)
    follow_up = create_follow_up(hidden, by=user, title="Secret follow-up")
    add_task(follow_up, by=user, title="Secret task")
    create_list(account, by=user, title="Secret list", columns=["Company"], rows=[["Secret Ltd"]], owner=user)
    create_list(
        account, by=user, title="Open list", columns=["Company"], rows=[["Open Ltd"]], privacy="everyone"
    )
    client = Client()
    client.force_login(seller)

    history = client.get("/admin/events/event/").content
    activity = client.get("/api/activity").content

    assert b"Secret" not in history + activity
    assert b"Open list" in history
    assert b"Open Ltd" in activity


def test_the_history_of_a_record_tells_of_what_belongs_to_it(browser, account, user):
    from crm.follow_ups import create_follow_up

    lead = factories.LeadFactory(account=account, owner=user)
    create_follow_up(lead, by=user, title="Onboarding")

    page = browser.get(address(Lead, "change", lead.pk))

    assert [event.name for event, _ in page.context["history"]] == ["follow_up.created"]


def test_somebody_of_a_suspended_account_sees_that_it_is(browser, account):
    from django.utils import timezone

    Account.objects.filter(pk=account.pk).update(suspended_at=timezone.now())

    answer = browser.get("/admin/crm/contact/")

    assert answer.status_code == 403
    assert b"This account is suspended" in answer.content
