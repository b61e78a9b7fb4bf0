"""Leads on the pages of the workspace: which ones a list shows, and what stands around one."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crm.leads import create_lead, delete_lead
from crm.models import ActivityType, Comment, FollowUp, Lead
from pipelime.accounts.models import Account, User
from pipelime.events.models import Event
from tests import factories
from tests.backoffice.rows import address
from webhooks.models import Delivery, Endpoint


@pytest.fixture
def step(account):
    return factories.StepFactory(
        account=account, pipeline=factories.PipelineFactory(account=account, is_default=True)
    )


@pytest.fixture
def lead(account, user, step) -> Lead:
    return create_lead(account, by=user, title="Loretta Inc.", owner=user, step=step)


def seller_browser(seller: User) -> Client:
    client = Client()
    client.force_login(seller)
    return client


def shown(browser, which: str = "") -> list[Lead]:
    answer = browser.get(address(Lead, "changelist"), {"which": which} if which else {})
    return list(answer.context["cl"].result_list)


def test_tabs_show_one_s_own_nobody_s_and_deleted_leads(browser, account, user, seller, step, lead):
    theirs = create_lead(account, by=user, title="Theirs", owner=seller)
    nobodys = create_lead(account, by=user, title="Nobody's")
    gone = create_lead(account, by=user, title="Gone", owner=user)
    delete_lead(gone, by=user)

    assert shown(browser) == [nobodys, theirs, lead]
    assert shown(browser, "mine") == [lead]
    assert shown(browser, "unassigned") == [nobodys]
    assert shown(browser, "deleted") == [gone]


@pytest.mark.parametrize("sees", [True, False])
def test_unassigned_leads_have_a_tab_for_those_who_may_see_them(account, user, seller, step, sees):
    User.objects.filter(pk=seller.pk).update(sees_unassigned=sees)
    nobodys = create_lead(account, by=user, title="Nobody's")
    browser = seller_browser(seller)

    page = browser.get(address(Lead, "changelist"))

    assert ("Unassigned" in [label for label, _, _ in page.context["tabs"]]) is sees
    assert list(page.context["cl"].result_list) == ([nobodys] if sees else [])


def test_a_deleted_lead_is_brought_back_on_its_page_and_changed_nowhere(browser, lead, user):
    delete_lead(lead, by=user)
    path = address(Lead, "change", lead.pk)

    page = browser.get(path)
    changed = browser.post(path, {"title": "Changed"})
    browser.post(address(Lead, "press", lead.pk, "restore"))

    lead.refresh_from_db()
    assert [button.name for button, _ in page.context["buttons"]] == ["restore"]
    assert changed.status_code == 403
    assert (lead.title, lead.deleted_at) == ("Loretta Inc.", None)


def test_several_deleted_leads_are_restored_at_once(browser, lead, user):
    delete_lead(lead, by=user)

    browser.post(
        f"{address(Lead, 'changelist')}?which=deleted", {"action": "restore", "_selected_action": [lead.pk]}
    )

    lead.refresh_from_db()
    assert lead.deleted_at is None


def test_a_deleted_lead_that_a_person_may_not_see_is_not_there(account, lead, user, seller):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    delete_lead(lead, by=user)
    browser = seller_browser(seller)

    listed = browser.get(address(Lead, "changelist"), {"which": "deleted"})
    pressed = browser.post(address(Lead, "press", lead.pk, "restore"))

    lead.refresh_from_db()
    assert list(listed.context["cl"].result_list) == []
    assert pressed.status_code == 404
    assert lead.deleted_at is not None


def test_the_page_names_leads_that_are_perhaps_the_same(browser, account, user, lead):
    same = create_lead(account, by=user, title="LORETTA inc.", owner=user)

    page = browser.get(address(Lead, "change", lead.pk))

    assert [duplicate.lead for duplicate in page.context["duplicates"]] == [same]
    assert address(Lead, "change", same.pk).encode() in page.content


def test_the_page_shows_follow_ups_and_files_of_the_lead(browser, account, lead):
    factories.FollowUpFactory(account=account, lead=lead, title="Onboarding")

    page = browser.get(address(Lead, "change", lead.pk))

    assert b"Onboarding" in page.content
    assert f"{address(FollowUp, 'add')}?lead={lead.pk}".encode() in page.content
    assert f"/admin/outreach/emailtemplate/send/?lead={lead.pk}".encode() in page.content


def test_a_lead_is_copied_by_a_button(browser, lead):
    answer = browser.post(address(Lead, "press", lead.pk, "copy"))

    copy = Lead.objects.exclude(pk=lead.pk).get()
    assert answer.url == address(Lead, "change", copy.pk)
    assert copy.title == lead.title


def test_a_comment_may_be_the_note_of_an_activity(browser, account, user, lead):
    call = factories.ActivityTypeFactory(account=account, name="Call", kind=ActivityType.Kind.CALL)

    browser.post(
        address(Lead, "change", lead.pk),
        {"title": lead.title, "step": lead.step_id, "status": "todo", "owner": user.pk, "currency": "EUR",
         "comments-TOTAL_FORMS": 1, "comments-INITIAL_FORMS": 0, "comments-0-content": "Nobody there",
         "comments-0-activity_type": call.pk, "follow_ups-TOTAL_FORMS": 0, "follow_ups-INITIAL_FORMS": 0,
         "attachments-TOTAL_FORMS": 0, "attachments-INITIAL_FORMS": 0},
    )  # fmt: skip

    comment = Comment.objects.get()
    assert (comment.content, comment.activity_type) == ("Nobody there", call)


def test_a_file_is_added_on_the_page_of_its_lead(browser, user, lead):
    browser.post(
        address(Lead, "change", lead.pk),
        {"title": lead.title, "step": lead.step_id, "status": "todo", "owner": user.pk, "currency": "EUR",
         "comments-TOTAL_FORMS": 0, "comments-INITIAL_FORMS": 0, "follow_ups-TOTAL_FORMS": 0,
         "follow_ups-INITIAL_FORMS": 0, "attachments-TOTAL_FORMS": 1, "attachments-INITIAL_FORMS": 0,
         "attachments-0-kind": "attachment",
         "attachments-0-upload": SimpleUploadedFile("offer.txt", b"An offer")},
    )  # fmt: skip

    [attachment] = lead.attachments.all()
    assert (attachment.name, attachment.size, attachment.created_by) == ("offer.txt", 8, user)


def endpoint_of(account: Account, **facts) -> Endpoint:
    return factories.EndpointFactory(account=account, **({"events": ["lead.triggered"]} | facts))


def test_a_lead_is_sent_to_a_webhook_of_the_menu(browser, account, lead):
    endpoint = endpoint_of(account, name="Invoicing", on_menu=True)
    endpoint_of(account, name="Elsewhere", url="https://other.example.com/in", events=["contact.*"])

    page = browser.get(address(Lead, "change", lead.pk))
    browser.post(address(Lead, "press", lead.pk, "trigger"), {"endpoint": endpoint.pk})

    assert [str(choice) for choice in page.context["menu"]["choices"]] == ["Invoicing"]
    assert Event.objects.filter(name="lead.triggered", subject_id=lead.pk).count() == 1
    assert Delivery.objects.get().endpoint == endpoint


@pytest.mark.parametrize("number", ["", "x", "99999999999999999999"])
def test_a_webhook_that_is_not_in_the_menu_is_not_set_off(browser, account, lead, number):
    endpoint_of(account)

    answer = browser.post(address(Lead, "press", lead.pk, "trigger"), {"endpoint": number}, follow=True)

    assert b"not in the menu any more" in answer.content
    assert not Delivery.objects.exists()
