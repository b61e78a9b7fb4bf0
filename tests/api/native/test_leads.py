"""Leads, their comments, pipelines and steps over the API."""

import pytest

from crm.models import Lead
from crm.pipelines import create_pipeline
from tests.factories import LeadFactory, StepFactory


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
        "reminder_note": "",
        "estimated_closing_date": None,
        "closed_at": None,
        "tags": ["big"],
        "custom_fields": {},
        "comment_count": 0,
        "created_from": "api",
        "created_by": None,
        "created_at": lead.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": lead.updated_at.isoformat().replace("+00:00", "Z"),
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
