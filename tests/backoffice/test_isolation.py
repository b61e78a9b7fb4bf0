"""No page of the workspace shows or changes another account's row, whatever model it is about."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from crm.models import Lead
from outreach.models import Campaign, Enrolment
from pipelime.scope import every_account
from tests import factories
from tests.backoffice.rows import REGISTERED, address, row_of

MODELS = pytest.mark.parametrize("model", REGISTERED, ids=[model._meta.label for model in REGISTERED])
PRESSED = [(model, button.name) for model in REGISTERED for button in admin.site._registry[model].buttons]
ASKED = [(model, field) for model in REGISTERED for field in admin.site._registry[model].autocomplete_fields]


def test_every_part_of_an_account_has_its_page():
    assert len(REGISTERED) == 35


@MODELS
def test_a_list_shows_one_s_own_rows_only(browser, account, stranger, model):
    mine, theirs = row_of(model, account), row_of(model, stranger.account)
    shown = admin.site._registry[model].get_queryset

    answer = browser.get(address(model, "changelist"))

    request = answer.wsgi_request
    assert answer.status_code in (200, 302)
    found = set(shown(request).values_list("pk", flat=True))
    assert mine.pk in found
    assert theirs.pk not in found
    if answer.status_code == 200:
        assert theirs.pk not in {row.pk for row in answer.context["cl"].result_list}


@MODELS
def test_a_page_of_one_s_own_row_opens(browser, account, model):
    row = row_of(model, account)

    answer = browser.get(address(model, "change", row.pk))

    assert answer.status_code == 200


@MODELS
@pytest.mark.parametrize("page", ["change", "delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_foreign_row_is_not_there(browser, stranger, model, page, method):
    row = row_of(model, stranger.account)
    with every_account():
        before = model._base_manager.filter(pk=row.pk).values().get()

    answer = getattr(browser, method)(
        address(model, page, row.pk), {"post": "yes"} if method == "post" else {}
    )

    with every_account():
        assert model._base_manager.filter(pk=row.pk).values().get() == before
    # Django's pages send people home when a row is not there, and tell them so.
    assert answer.status_code in (302, 403, 404)
    if answer.status_code == 302:
        assert answer.url == reverse("admin:index")


@pytest.mark.parametrize(("model", "name"), PRESSED, ids=[f"{m._meta.model_name}-{n}" for m, n in PRESSED])
def test_a_button_of_a_foreign_row_is_not_there(browser, stranger, model, name):
    row = row_of(model, stranger.account)
    with every_account():
        before = model._base_manager.filter(pk=row.pk).values().get()

    answer = browser.post(address(model, "press", row.pk, name))

    assert answer.status_code == 404
    with every_account():
        assert model._base_manager.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize(("model", "field"), ASKED, ids=[f"{m._meta.model_name}-{f}" for m, f in ASKED])
def test_choices_offer_one_s_own_rows_only(browser, account, stranger, model, field):
    remote = model._meta.get_field(field).remote_field.model
    mine, theirs = row_of(remote, account), row_of(remote, stranger.account)
    question = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field}

    answer = browser.get(reverse("admin:autocomplete"), question)

    found = {entry["id"] for entry in answer.json()["results"]}
    assert str(mine.pk) in found
    assert str(theirs.pk) not in found


def test_a_foreign_row_cannot_be_chosen_by_posting_its_number(browser, account, stranger):
    step = factories.StepFactory(account=account)
    foreign = factories.ContactFactory(account=stranger.account)

    answer = browser.post(
        address(Lead, "add"),
        {"title": "Smuggled", "step": step.pk, "status": "todo", "currency": "EUR", "contact": foreign.pk,
         "comments-TOTAL_FORMS": 0, "comments-INITIAL_FORMS": 0},
    )  # fmt: skip

    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == ["contact"]
    assert not Lead.objects.exists()


def test_an_action_on_foreign_rows_does_nothing(browser, account, stranger):
    factories.LeadFactory(account=account)
    foreign = factories.LeadFactory(account=stranger.account)

    browser.post(address(Lead, "changelist"), {"action": "take_over", "_selected_action": [foreign.pk]})
    browser.post(
        address(Lead, "changelist"),
        {"action": "delete_selected", "_selected_action": [foreign.pk], "post": "yes"},
    )

    with every_account():
        lead = Lead._base_manager.get(pk=foreign.pk)
    assert (lead.owner_id, lead.deleted_at) == (None, None)


def test_a_search_finds_nothing_of_others(browser, stranger):
    from crm.contacts import create_contact
    from pipelime.scope import account_scope

    with account_scope(stranger.account):
        create_contact(stranger.account, by=None, first_name="Zenobia", last_name="Quux")

    answer = browser.get(reverse("admin:search"), {"s": "Zenobia", "extended": "1"})

    assert b"Zenobia Quux" not in answer.content


@pytest.mark.parametrize("page", ["preview"])
def test_the_preview_of_a_foreign_campaign_is_not_there(browser, stranger, page):
    campaign = factories.CampaignFactory(account=stranger.account)

    answer = browser.get(address(Campaign, page, campaign.pk))

    assert answer.status_code == 404


def test_foreign_contacts_cannot_be_added_to_a_campaign(browser, account, stranger):
    campaign = factories.CampaignFactory(account=account)
    factories.ContactFactory(account=stranger.account)

    browser.post(address(Campaign, "press", campaign.pk, "add"), {"source": "all"})

    with every_account():
        assert not Enrolment.objects.exists()


@pytest.mark.parametrize("page", ["progress", "rejects"])
def test_a_foreign_import_is_not_there(browser, stranger, page):
    job = factories.ImportJobFactory(account=stranger.account)

    answer = browser.get(address(type(job), page, job.pk))

    assert answer.status_code == 404


def test_without_a_login_there_is_only_the_login_page(client, db):
    for model in REGISTERED:
        answer = client.get(address(model, "changelist"))

        assert answer.status_code == 302
        assert answer.url.startswith("/admin/login/")
