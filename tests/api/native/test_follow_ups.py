"""Follow-ups and their tasks over the API."""

import pytest

from crm.models import FollowUp
from pipelime.accounts.models import Account
from tests.factories import FollowUpFactory, FollowUpTaskFactory, LeadFactory


@pytest.fixture
def lead(account, user):
    return LeadFactory(account=account, title="Loretta Inc.", owner=user)


def test_a_follow_up_is_made_for_a_lead(native, lead, user):
    answer = native.post(
        "/api/follow-ups",
        {"lead": str(lead.uid), "title": "Onboarding", "owner": str(user.uid), "tags": ["new"]},
        format="json",
    )

    made = answer.json()
    assert answer.status_code == 201
    assert made["lead"] == {"id": str(lead.uid), "title": "Loretta Inc."}
    assert (made["title"], made["status"], made["tags"], made["tasks"]) == ("Onboarding", "todo", ["new"], [])
    assert native.get(f"/api/follow-ups?lead={lead.uid}").json()["data"] == [made]


def test_the_status_follows_the_tasks(native, account, lead):
    follow_up = FollowUpFactory(account=account, lead=lead)
    task = native.post(
        "/api/follow-up-tasks", {"follow_up": str(follow_up.uid), "title": "Send the contract"}, format="json"
    )
    path = f"/api/follow-up-tasks/{task.json()['id']}"
    done = native.patch(path, {"status": "done"}, format="json")

    shown = native.get(f"/api/follow-ups/{follow_up.uid}").json()
    assert task.status_code == 201
    assert task.json()["lead"]["id"] == str(lead.uid)
    assert done.json()["status"] == "done"
    assert done.json()["done_at"] is not None
    assert shown["status"] == "done"
    assert [row["title"] for row in shown["tasks"]] == ["Send the contract"]


def test_an_unknown_status_is_refused_by_name(native, account):
    task = FollowUpTaskFactory(account=account)

    answer = native.patch(f"/api/follow-up-tasks/{task.uid}", {"status": "later"}, format="json")

    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]) == ["status"]


def test_a_follow_up_goes_with_its_tasks(native, account, lead):
    task = FollowUpTaskFactory(account=account, follow_up=FollowUpFactory(account=account, lead=lead))

    answer = native.delete(f"/api/follow-ups/{task.follow_up.uid}")

    assert answer.status_code == 204
    assert native.get(f"/api/follow-up-tasks/{task.uid}").status_code == 404


def test_people_see_follow_ups_of_the_leads_they_see(client, account, lead, seller):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    own = FollowUpTaskFactory(
        account=account,
        follow_up=FollowUpFactory(account=account, lead=LeadFactory(account=account, owner=seller)),
    )
    hidden = FollowUpTaskFactory(account=account, follow_up=FollowUpFactory(account=account, lead=lead))
    client.force_login(seller)

    follow_ups = client.get("/api/follow-ups").json()["data"]
    tasks = client.get("/api/follow-up-tasks").json()["data"]

    assert [row["id"] for row in follow_ups] == [str(own.follow_up.uid)]
    assert [row["id"] for row in tasks] == [str(own.uid)]
    assert client.get(f"/api/follow-up-tasks/{hidden.uid}").status_code == 404


@pytest.mark.parametrize("what", ["follow-ups", "follow-up-tasks"])
def test_nobody_adds_to_a_lead_that_they_cannot_see(client, account, lead, seller, what):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    follow_up = FollowUpFactory(account=account, lead=lead)
    client.force_login(seller)
    body = {"title": "Mine", "lead": str(lead.uid)}
    if what == "follow-up-tasks":
        body = {"title": "Mine", "follow_up": str(follow_up.uid)}

    answer = client.post(f"/api/{what}", body, content_type="application/json")

    assert answer.status_code == 422
    assert FollowUp.objects.get() == follow_up
    assert not follow_up.tasks.exists()
