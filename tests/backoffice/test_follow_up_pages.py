"""Follow-ups and tasks on the pages of the workspace."""

from __future__ import annotations

import pytest
from django.test import Client

from crm.models import FollowUp, FollowUpTask, Lead
from pipelime.accounts.models import Account
from tests import factories
from tests.backoffice.rows import address


@pytest.fixture
def lead(account, user) -> Lead:
    return factories.LeadFactory(account=account, owner=user)


def tasks(*rows: dict, known: int = 0) -> dict:
    form = {"tasks-TOTAL_FORMS": len(rows), "tasks-INITIAL_FORMS": known}
    for number, row in enumerate(rows):
        form |= {f"tasks-{number}-{name}": value for name, value in ({"status": "todo"} | row).items()}
    return form


def test_a_follow_up_is_made_with_its_tasks(browser, lead, user):
    browser.post(
        address(FollowUp, "add"),
        {"lead": lead.pk, "title": "Onboarding", "owner": user.pk, "tags": "new",
         **tasks({"title": "Contract"}, {"title": "Training", "status": "done"}, {})},
    )  # fmt: skip

    made = FollowUp.objects.get()
    assert (made.lead, made.title, made.owner) == (lead, "Onboarding", user)
    assert [(task.title, task.status) for task in made.tasks.all()] == [
        ("Contract", "todo"),
        ("Training", "done"),
    ]


def test_tasks_are_changed_added_and_deleted_on_the_page_of_their_follow_up(browser, account, lead):
    follow_up = factories.FollowUpFactory(account=account, lead=lead, title="Onboarding")
    first, second = (
        factories.FollowUpTaskFactory(account=account, follow_up=follow_up, title=title)
        for title in ("Contract", "Training")
    )

    browser.post(
        address(FollowUp, "change", follow_up.pk),
        {"title": "Onboarding",
         **tasks({"id": first.pk, "follow_up": follow_up.pk, "title": "Contract", "status": "done"},
                 {"id": second.pk, "follow_up": follow_up.pk, "title": "Training", "DELETE": "on"},
                 {"follow_up": follow_up.pk, "title": "Call"}, known=2)},
    )  # fmt: skip

    assert [(task.title, task.status) for task in follow_up.tasks.all()] == [
        ("Contract", "done"),
        ("Call", "todo"),
    ]


def test_a_task_is_done_by_a_button(browser, account, lead):
    follow_up = factories.FollowUpFactory(account=account, lead=lead)
    task = factories.FollowUpTaskFactory(account=account, follow_up=follow_up)

    browser.post(address(FollowUpTask, "press", task.pk, "done"))

    follow_up.refresh_from_db()
    assert follow_up.status == FollowUp.Status.DONE


def test_people_see_follow_ups_of_the_leads_they_see(account, lead, seller):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    hidden = factories.FollowUpTaskFactory(
        account=account, follow_up=factories.FollowUpFactory(account=account, lead=lead, title="Secret plan")
    )
    client = Client()
    client.force_login(seller)

    listed = client.get(address(FollowUp, "changelist"))
    opened = client.get(address(FollowUpTask, "change", hidden.pk))

    assert b"Secret plan" not in listed.content
    assert opened.status_code == 302
