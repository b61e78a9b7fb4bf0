"""Webhooks and notifications over the API: subscribed, listed and taken away by programs."""

from __future__ import annotations

import hashlib

import pytest
from rest_framework.test import APIClient

from crm.leads import create_lead
from pipelime.accounts.keys import create_key, disable_key, revoke_key
from pipelime.accounts.models import Account
from tests.factories import EndpointFactory
from webhooks.models import Delivery, Endpoint

URL = "https://hooks.example.com/in?token=s%C3%A9same"
HOOK = {"event": "lead.creation", "target_type": "url", "target": URL, "name": "My webhook"}


def subscribe(client, **changes):
    return client.post("/api/v2/webhooks", {**HOOK, **changes}, format="json")


def test_a_webhook_is_made_signed_with_the_key_that_made_it(program, raw_key, account):
    answer = subscribe(program)

    endpoint = Endpoint.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": endpoint.pk, "event": "lead.creation", "target": URL, "target_type": "url", "params": None,
        "name": "My webhook",
    }  # fmt: skip
    assert (endpoint.secret, endpoint.dialect, endpoint.url) == (raw_key, "propipelines", URL)
    assert raw_key not in answer.content.decode()


def test_webhooks_and_notifications_are_listed_but_not_those_of_other_dialects(program, account):
    EndpointFactory(account=account)
    made = [
        subscribe(program).json(),
        subscribe(program, target_type="email", target="stef@example.com", name=None).json(),
    ]
    Endpoint.objects.filter(pk=made[1]["id"]).update(disabled_at="2026-01-01T00:00:00Z")

    answer = program.get("/api/v2/webhooks")

    assert answer.json() == [{**made[0], "is_disabled": False}, {**made[1], "is_disabled": True}]
    assert (made[1]["target"], made[1]["name"]) == ("stef@example.com", "")


def test_what_is_signed_can_be_checked_with_the_key(program, raw_key, furnished, user):
    subscribe(program)

    create_lead(furnished, by=user, title="Bountiful", owner=user)

    [event] = program.get("/api/v2/webhook_events").json()
    digest = hashlib.sha1(f"{event['id']}{raw_key}".encode(), usedforsecurity=False)
    assert event["signature"] == digest.hexdigest()


def test_the_same_event_for_the_same_target_is_a_conflict(program):
    first = subscribe(program).json()

    answer = subscribe(program, name="Again")

    assert answer.status_code == 409
    assert (answer.json()["error"], answer.json()["id"]) == (409, first["id"])
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize(
    "event", ["lead.created", "*", "lead.*", "", "lead.step.changed.to.Sales.Nowhere", ["lead.creation"]]
)
def test_an_unknown_event_is_named(program, furnished, event):
    answer = subscribe(program, event=event)

    if event == "":
        assert (answer.status_code, answer.json()["message"]) == (422, "Missing required parameter: event")
    else:
        assert (answer.status_code, answer.json()["message"]) == (400, "Parameter event not recognized.")
    assert not Endpoint.objects.exists()


def test_a_step_is_named_by_its_pipeline_and_its_name(program, furnished):
    answer = subscribe(program, event="lead.step.changed.to.Sales.In-touch")

    assert (answer.status_code, answer.json()["event"]) == (201, "lead.step.changed.to.Sales.In-touch")


@pytest.mark.parametrize("name", ["event", "target", "target_type"])
def test_what_is_missing_is_named(program, name):
    answer = program.post(
        "/api/v2/webhooks", {key: value for key, value in HOOK.items() if key != name}, format="json"
    )

    assert (answer.status_code, answer.json()["message"]) == (422, f"Missing required parameter: {name}")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"target_type": "fax"}, 400),
        ({"target": "ftp://hooks.example.com"}, 422),
        ({"target": 7}, 422),
        ({"target_type": "email"}, 422),
        ({"add_to_lead_action_menu": True}, 422),
        ({"add_to_lead_action_menu": "perhaps"}, 400),
        ({"name": "x" * 151}, 422),
        ({"name": ["x"]}, 422),
    ],
)
def test_what_will_not_do_is_refused(program, changes, status):
    assert subscribe(program, **changes).status_code == status
    assert not Endpoint.objects.exists()


def test_a_manual_trigger_may_be_offered_on_leads(program):
    subscribe(program, event="lead.manual.trigger", add_to_lead_action_menu="true")

    assert Endpoint.objects.on_menu().count() == 1


def test_advanced_events_need_their_plan(program, account):
    Account.objects.filter(pk=account.pk).update(plan=Account.Plan.STARTER)

    refused, made = subscribe(program, event="lead.deleted"), subscribe(program)

    assert (refused.status_code, refused.json()["message"]) == (403, "Cannot access this feature.")
    assert made.status_code == 201


def test_a_webhook_is_deleted(program):
    number = subscribe(program).json()["id"]

    answer = program.delete(f"/api/v2/webhooks/{number}")

    assert (answer.status_code, answer.json()) == (200, {"id": number})
    assert not Endpoint.objects.exists()
    assert program.delete(f"/api/v2/webhooks/{number}").status_code == 404


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("post", ""), ("delete", "/1")])
def test_user_tokens_are_refused(logged_in, user, method, path):
    answer = getattr(logged_in(user), method)(f"/api/v2/webhooks{path}")

    assert (answer.status_code, answer.json()["type"]) == (401, "not_api_key")


@pytest.mark.parametrize("end", [disable_key, revoke_key])
def test_a_webhook_ends_with_its_key_and_says_why(account, user, furnished, end):
    key, raw = create_key(account, name="Zapier", scopes=["*"], by=user)
    subscribe(APIClient(headers={"X-API-KEY": raw}))

    end(key, by=user)
    create_lead(furnished, by=user, title="Bountiful")

    assert Endpoint.objects.get().disabled_reason.startswith("Its API key was ")
    assert not Delivery.objects.exists()
