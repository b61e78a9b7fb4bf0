"""Webhooks over the API: secrets shown once, deliveries, replay."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipelime.accounts.keys import revoke_key
from pipelime.accounts.models import ApiKey
from tests.api.moments import in_full
from tests.factories import DeliveryFactory, EndpointFactory, EventFactory
from webhooks.models import Attempt, Delivery, Endpoint

URL = "https://hooks.example.com/in"


def post(native, path: str, body: dict | None = None):
    return native.post(f"/api/webhooks{path}", body or {}, format="json")


def details(answer) -> dict:
    assert answer.status_code == 422, answer.content
    return answer.json()["error"]["details"]


@pytest.fixture
def endpoint(account):
    return EndpointFactory(account=account, url=URL, events=["lead.*"])


def test_a_webhook_shows_its_secret_only_when_it_is_made(native):
    body = {"url": URL, "events": ["contact.created", "lead.*"], "description": "CRM"}
    answer = post(native, "", body)

    endpoint = Endpoint.objects.get()
    shown = {
        "id": str(endpoint.uid),
        **body,
        "name": "",
        "target_type": "url",
        "email": "",
        "format": "native",
        "on_menu": False,
        "is_enabled": True,
        "disabled_at": None,
        "disabled_reason": "",
        "failing_since": None,
        "old_secret_until": None,
        "created_at": in_full(endpoint.created_at),
        "updated_at": in_full(endpoint.updated_at),
    }
    assert answer.status_code == 201
    assert answer.json() == {**shown, "secret": endpoint.secret}
    assert endpoint.secret.startswith("whsec_")
    assert native.get(f"/api/webhooks/{endpoint.uid}").json() == shown
    assert native.get("/api/webhooks").json()["data"] == [shown]


def test_a_webhook_may_speak_as_sendpilot_s(native):
    answer = post(native, "", {"url": URL, "events": ["reply.received"], "format": "sendpilot"})
    refused = post(native, "", {"url": URL, "events": ["contact.created"], "format": "sendpilot"})

    endpoint = Endpoint.objects.get()
    assert (answer.status_code, answer.json()["format"], answer.json()["secret"]) == (
        201, "sendpilot", endpoint.secret,
    )  # fmt: skip
    assert (endpoint.dialect, endpoint.events) == ("sendpilot", ["reply.received"])
    assert details(refused)["events"][0].startswith("'contact.created' is no event of SendPilot; use ")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://hooks.example.com"}, "url"),
        ({"url": "https://10.0.0.1/in"}, "url"),
        ({"url": ""}, "url"),
        ({"events": []}, "events"),
        ({"events": ["lead.exploded"]}, "events"),
        ({"event": ["*"]}, "event"),
    ],
)
def test_a_mistake_is_named_by_its_field(native, change, field):
    answer = post(native, "", {"url": URL, "events": ["*"], **change})

    assert list(details(answer)) == [field]
    assert Endpoint.objects.count() == 0


def test_a_change_leaves_what_it_does_not_name(native, endpoint):
    answer = native.patch(f"/api/webhooks/{endpoint.uid}", {"events": ["*"]}, format="json")

    assert (answer.json()["events"], answer.json()["url"]) == (["*"], URL)


def test_a_deleted_webhook_is_gone_with_its_deliveries(native, endpoint):
    DeliveryFactory(account=endpoint.account, endpoint=endpoint)

    assert native.delete(f"/api/webhooks/{endpoint.uid}").status_code == 204

    assert (Endpoint.objects.count(), Delivery.objects.count()) == (0, 0)


def test_a_rotated_secret_is_shown_once_while_the_old_one_still_signs(native, endpoint):
    answer = post(native, f"/{endpoint.uid}/rotate-secret")

    stored = Endpoint.objects.get()
    assert answer.status_code == 200
    assert answer.json()["secret"] == stored.secret != endpoint.secret
    assert answer.json()["old_secret_until"] == in_full(stored.old_secret_until)
    assert stored.old_secret == endpoint.secret


def test_a_webhook_is_disabled_with_a_reason_and_enabled_again(native, endpoint):
    disabled = post(native, f"/{endpoint.uid}/disable", {"reason": "moving"}).json()
    listed = native.get("/api/webhooks?is_enabled=false").json()["data"]
    enabled = post(native, f"/{endpoint.uid}/enable").json()

    assert (disabled["is_enabled"], disabled["disabled_reason"]) == (False, "moving")
    assert [row["id"] for row in listed] == [str(endpoint.uid)]
    assert (enabled["is_enabled"], enabled["disabled_at"]) == (True, None)


def test_revoking_the_key_that_made_a_webhook_disables_it(native, user):
    post(native, "", {"url": URL, "events": ["lead.*"]})

    revoke_key(ApiKey.objects.get(), by=user)

    assert Endpoint.objects.get().disabled_reason == "Its API key was revoked"


def test_a_delivery_shows_every_attempt(native, account, endpoint):
    event = EventFactory(account=account)
    delivery = DeliveryFactory(
        account=account, endpoint=endpoint, event=event, state="failed", last_status=500, last_error="500"
    )
    attempt = Attempt.objects.create(delivery=delivery, status=500, error="500", seconds=0.25)

    answer = native.get(f"/api/webhooks/{endpoint.uid}/deliveries")

    assert answer.json()["data"] == [
        {
            "id": str(delivery.uid),
            "webhook_id": f"msg_{delivery.uid.hex}",
            "event": "contact.created",
            "event_id": str(event.uid),
            "status": "failed",
            "response_status": 500,
            "error": "500",
            "attempts": [{"at": in_full(attempt.at), "status": 500, "error": "500", "seconds": 0.25}],
            "due_at": in_full(delivery.due_at),
            "delivered_at": None,
            "created_at": in_full(delivery.created_at),
        }
    ]


def test_deliveries_are_narrowed_to_one_webhook_one_status_and_one_event(native, account, endpoint):
    wanted = DeliveryFactory(account=account, endpoint=endpoint, state="failed", event_name="lead.created")
    DeliveryFactory(account=account, endpoint=endpoint, state="done", event_name="lead.created")
    DeliveryFactory(account=account, endpoint=endpoint, state="failed")
    DeliveryFactory(account=account, state="failed", event_name="lead.created")

    answer = native.get(f"/api/webhooks/{endpoint.uid}/deliveries?status=failed&event=lead.created")

    assert [row["id"] for row in answer.json()["data"]] == [str(wanted.uid)]


def test_a_replay_queues_what_was_missed_since_a_moment(native, account, endpoint):
    hour_ago = timezone.now() - timedelta(hours=1)
    for at, state in ((hour_ago, "failed"), (hour_ago, "done"), (hour_ago - timedelta(days=1), "failed")):
        event = EventFactory(account=account, at=at)
        DeliveryFactory(account=account, endpoint=endpoint, event=event, state=state)

    answer = post(native, f"/{endpoint.uid}/replay", {"since": (hour_ago - timedelta(hours=1)).isoformat()})

    assert answer.status_code == 202
    assert answer.json() == {"queued": 1}
    assert Delivery.objects.filter(state="queued").count() == 1


def test_one_delivery_is_replayed_though_it_arrived(native, endpoint):
    delivery = DeliveryFactory(account=endpoint.account, endpoint=endpoint, state="done")

    answer = post(native, f"/{endpoint.uid}/replay", {"delivery_id": str(delivery.uid)})

    assert answer.json() == {"queued": 1}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2999-01-01T00:00:00Z"}, "since"),
        ({"delivery_id": "00000000-0000-7000-8000-000000000000"}, "delivery_id"),
    ],
)
def test_a_replay_of_nothing_is_refused(native, endpoint, body, field):
    assert list(details(post(native, f"/{endpoint.uid}/replay", body))) == [field]


def test_a_test_is_queued_whatever_the_webhook_listens_to(native, endpoint):
    answer = post(native, f"/{endpoint.uid}/test")

    assert answer.status_code == 202
    assert (answer.json()["event"], answer.json()["status"]) == ("endpoint.tested", "queued")
    assert answer.json()["id"] == str(Delivery.objects.get().uid)


def test_a_disabled_webhook_is_neither_tested_nor_replayed(native, endpoint):
    post(native, f"/{endpoint.uid}/disable")

    answers = [
        post(native, f"/{endpoint.uid}/test"),
        post(native, f"/{endpoint.uid}/replay", {"since": timezone.now().isoformat()}),
    ]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert Delivery.objects.count() == 0


def test_only_administrators_see_webhooks(client, seller):
    client.force_login(seller)

    assert client.get("/api/webhooks").status_code == 403
