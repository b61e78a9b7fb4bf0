"""Leads, their comments, pipelines and steps over the API."""

import pytest

from crm.leads import create_lead
from crm.models import Comment, Lead
from crm.pipelines import create_pipeline
from pipelime.accounts.models import Account
from tests.api.moments import in_full
from tests.factories import ActivityTypeFactory, CommentFactory, EndpointFactory, LeadFactory, StepFactory
from webhooks.models import Delivery


@pytest.fixture
def pipeline(account, user):
    return create_pipeline(account, by=user, name="Sales", steps=["Incoming", "Won over"])


def test_a_lead_is_answered_in_full(native, pipeline, user):
    body = {
        "title": "Loretta Inc.",
        "description": "Phone: 1\n",
        "owner": str(user.uid),
        "amount": "1562.89",
        "probability": 85,
        "status": "standby",
        "remind_date": "2030-06-01",
        "remind_time": "09:15",
        "tags": ["big"],
    }

    answer = native.post("/api/leads", body, format="json")

    lead = Lead.objects.get()
    first = pipeline.steps.get(position=1)
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(lead.uid),
        "title": "Loretta Inc.",
        "description": "Phone: 1\n",
        "status": "standby",
        "pipeline": {"id": str(pipeline.uid), "name": "Sales"},
        "step": {"id": str(first.uid), "name": "Incoming"},
        "owner": {"id": str(user.uid), "name": user.name, "email": user.email},
        "contact": None,
        "client_folder": None,
        "amount": "1562.89",
        "probability": 85,
        "currency": "EUR",
        "starred": False,
        "remind_date": "2030-06-01",
        "remind_time": "09:15",
        "reminder_at": "2030-06-01T09:15:00Z",
        "reminder_duration": 30,
        "reminder_activity": None,
        "reminder_note": "",
        "estimated_closing_date": None,
        "closed_at": None,
        "tags": ["big"],
        "custom_fields": {},
        "comment_count": 0,
        "attachment_count": 0,
        "created_from": "api",
        "created_by": None,
        "created_at": in_full(lead.created_at),
        "updated_at": in_full(lead.updated_at),
    }
    assert native.get("/api/leads").json()["data"] == [answer.json()]


def test_a_key_s_lead_is_nobody_s_and_a_person_s_is_their_own(native, browser, pipeline, user):
    by_key = native.post("/api/leads", {"title": "One"}, format="json")
    by_person = browser.post("/api/leads", {"title": "Two"}, content_type="application/json")

    assert by_key.json()["owner"] is None
    assert by_person.json()["owner"]["id"] == str(user.uid)
    assert by_person.json()["created_by"]["id"] == str(user.uid)


def test_a_lead_moves_to_the_step_that_is_named_by_its_id(native, pipeline, account, user):
    lead = LeadFactory(account=account, step=pipeline.steps.get(position=1), owner=user)
    second = pipeline.steps.get(position=2)

    answer = native.patch(f"/api/leads/{lead.uid}", {"step": str(second.uid)}, format="json")

    assert answer.json()["step"] == {"id": str(second.uid), "name": "Won over"}


def test_a_step_of_another_account_looks_missing(native, pipeline):
    foreign = StepFactory()

    answer = native.post("/api/leads", {"title": "X", "step": str(foreign.uid)}, format="json")

    assert answer.status_code == 422
    assert "step" in answer.json()["error"]["details"]
    assert Lead.objects.count() == 0


def test_a_rule_of_the_domain_is_answered_on_its_field(native, pipeline):
    answer = native.post("/api/leads", {"title": "X", "probability": 50}, format="json")

    assert answer.status_code == 422
    assert "probability" in answer.json()["error"]["details"]


def test_a_lead_is_assigned_and_given_up(native, pipeline, account, seller):
    lead = LeadFactory(account=account, step=pipeline.steps.first())

    given = native.post(f"/api/leads/{lead.uid}/assign", {"owner": str(seller.uid)}, format="json")
    taken = native.post(f"/api/leads/{lead.uid}/assign", {"owner": None}, format="json")

    assert given.json()["owner"]["id"] == str(seller.uid)
    assert taken.json()["owner"] is None


def test_a_deleted_lead_comes_back_when_restored(native, pipeline, account):
    lead = LeadFactory(account=account, step=pipeline.steps.first())
    path = f"/api/leads/{lead.uid}"
    native.delete(path)
    while_gone = native.get(path)

    restored = native.post(f"{path}/restore")

    assert while_gone.status_code == 404
    assert restored.status_code == 200
    assert native.get(path).status_code == 200


def test_comments_are_written_and_listed(native, browser, pipeline, account, user):
    lead = LeadFactory(account=account, step=pipeline.steps.first())
    path = f"/api/leads/{lead.uid}/comments"

    written = browser.post(path, {"content": "Called back"}, content_type="application/json")
    native.post(path, {"content": "Wants a quote"}, format="json")

    listed = native.get(path).json()
    assert written.status_code == 201
    assert written.json()["author"] == {"id": str(user.uid), "name": user.name, "email": user.email}
    assert [row["content"] for row in listed["data"]] == ["Wants a quote", "Called back"]
    assert native.get(f"/api/leads/{lead.uid}").json()["comment_count"] == 2


def test_pipelines_show_their_steps_in_order(native, pipeline):
    native.post("/api/steps", {"pipeline": str(pipeline.uid), "name": "First", "position": 1}, format="json")

    answer = native.get(f"/api/pipelines/{pipeline.uid}")

    assert [step["name"] for step in answer.json()["steps"]] == ["First", "Incoming", "Won over"]
    assert [row["name"] for row in native.get(f"/api/steps?pipeline={pipeline.uid}").json()["data"]] == [
        "First",
        "Incoming",
        "Won over",
    ]


def test_a_step_with_leads_is_not_deleted(native, pipeline, account):
    step = pipeline.steps.get(position=2)
    LeadFactory(account=account, step=step)

    answer = native.delete(f"/api/steps/{step.uid}")

    assert answer.status_code == 409
    assert pipeline.steps.count() == 2


def test_a_comment_may_be_the_note_of_an_activity(native, account):
    lead = LeadFactory(account=account)
    call = ActivityTypeFactory(account=account, name="Call", kind="call")

    answer = native.post(
        f"/api/leads/{lead.uid}/comments",
        {"content": "Called back", "activity_type": str(call.uid)},
        format="json",
    )

    assert answer.status_code == 201
    assert answer.json()["activity_type"] == {"id": str(call.uid), "name": "Call"}


def test_a_comment_is_changed_and_deleted(native, account):
    comment = CommentFactory(account=account, content="Called")

    changed = native.patch(f"/api/comments/{comment.uid}", {"content": "Called back"}, format="json")
    deleted = native.delete(f"/api/comments/{comment.uid}")

    assert changed.json()["content"] == "Called back"
    assert deleted.status_code == 204
    assert not Comment.objects.exists()


def test_a_comment_on_a_lead_that_one_cannot_see_is_missing(client, account, user, seller):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    comment = CommentFactory(account=account, lead=LeadFactory(account=account, owner=user))
    client.force_login(seller)

    answer = client.delete(f"/api/comments/{comment.uid}")

    assert answer.status_code == 404
    assert Comment.objects.get() == comment


def test_what_was_done_for_a_lead_is_logged_and_listed(native, account, user):
    lead = LeadFactory(account=account)
    meeting = ActivityTypeFactory(account=account, name="Meeting", kind="meeting")

    made = native.post(
        f"/api/leads/{lead.uid}/activities",
        {"type": str(meeting.uid), "user": str(user.uid), "note": "Lunch", "at": "2030-01-01T12:00:00Z"},
        format="json",
    )
    listed = native.get(f"/api/leads/{lead.uid}/activities").json()["data"]

    assert made.status_code == 201
    assert listed == [made.json()]
    assert (made.json()["note"], made.json()["user"]["id"]) == ("Lunch", str(user.uid))


def test_leads_that_are_perhaps_the_same_are_named_with_what_is_equal(native, account, pipeline, user):
    lead, same = (create_lead(account, by=user, title=title) for title in ("Loretta Inc.", "loretta  inc."))
    create_lead(account, by=user, title="Jules SA")

    answer = native.get(f"/api/leads/{lead.uid}/duplicates")

    assert answer.status_code == 200
    [found] = answer.json()["data"]
    assert found["lead"] == native.get(f"/api/leads/{same.uid}").json()
    assert found["matches"] == [{"field": "title", "value": "loretta  inc."}]


def test_duplicates_that_one_cannot_see_are_not_told_of(client, account, pipeline, user, seller):
    Account.objects.filter(pk=account.pk).update(lead_visibility="own")
    own = create_lead(account, by=user, title="Loretta Inc.", owner=seller)
    create_lead(account, by=user, title="Loretta Inc.", owner=user)
    client.force_login(seller)

    answer = client.get(f"/api/leads/{own.uid}/duplicates")

    assert answer.json() == {"data": []}


def test_a_lead_is_copied_to_do_in_a_step_of_one_s_choice(native, account, pipeline, user):
    first, second = pipeline.steps.order_by("position")
    lead = create_lead(
        account, by=user, title="Loretta Inc.", owner=user, step=first, status="won", tags=["big"]
    )

    answer = native.post(f"/api/leads/{lead.uid}/duplicate", {"step": str(second.uid)}, format="json")

    copy = answer.json()
    assert answer.status_code == 201
    assert copy["id"] != str(lead.uid)
    assert (copy["title"], copy["tags"], copy["status"]) == ("Loretta Inc.", ["big"], "todo")
    assert copy["step"] == {"id": str(second.uid), "name": "Won over"}


def test_a_lead_is_sent_to_a_webhook_of_the_menu(native, account):
    lead = LeadFactory(account=account)
    endpoint = EndpointFactory(account=account, events=["lead.triggered"], on_menu=True)

    answer = native.post(f"/api/leads/{lead.uid}/trigger", {"webhook": str(endpoint.uid)}, format="json")

    delivery = Delivery.objects.get(endpoint=endpoint)
    assert answer.status_code == 202
    assert answer.json()["id"] == str(delivery.uid)


def test_a_webhook_that_is_not_in_the_menu_is_not_set_off(native, account):
    lead = LeadFactory(account=account)
    endpoint = EndpointFactory(account=account, events=["lead.triggered"])

    answer = native.post(f"/api/leads/{lead.uid}/trigger", {"webhook": str(endpoint.uid)}, format="json")

    assert answer.status_code == 422
    assert not Delivery.objects.exists()
