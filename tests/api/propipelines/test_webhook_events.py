"""What was sent: ten days back, for administrators, with the counters and the data."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.leads import create_lead, update_lead
from tests.factories import DeliveryFactory
from webhooks.endpoints import create_endpoint
from webhooks.models import Delivery


@pytest.fixture
def sent(furnished, user):
    """A lead was made and won, and both were told."""
    for event in ("lead.creation", "lead.status.changed.to.won"):
        create_endpoint(
            furnished, by=user, dialect="propipelines", events=[event], url="https://hooks.example.com/in"
        )
    lead = create_lead(furnished, by=user, title="Bountiful", owner=user)
    update_lead(lead, by=user, status="won")
    return lead


def test_events_are_shown_newest_first_as_they_stand(program, sent):
    Delivery.objects.filter(event_name="lead.creation").update(state="done", attempts=2, last_status=200)

    answer = program.get("/api/v2/webhook_events")

    shown = [
        (event["event"], event["has_succeeded"], event["try_count"], event["last_returned_code"])
        for event in answer.json()
    ]
    assert shown == [("lead.status.changed.to.won", False, 0, None), ("lead.creation", True, 2, 200)]
    assert [event["data"]["status"] for event in answer.json()] == ["Won", "Todo"]
    assert answer["X-TOTAL-COUNT"] == "2"


def test_one_event_is_shown_by_its_id(program, sent):
    listed = program.get("/api/v2/webhook_events").json()

    answer = program.get(f"/api/v2/webhook_events/{listed[0]['id']}")

    assert answer.json() == listed[0]
    assert sorted(answer.json()) == [
        "data", "event", "has_succeeded", "id", "last_returned_code", "signature", "try_count",
    ]  # fmt: skip


def test_what_is_older_than_ten_days_is_not_shown(program, sent):
    old = Delivery.objects.earliest("pk")
    Delivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=10, minutes=1))

    assert len(program.get("/api/v2/webhook_events").json()) == 1
    assert program.get(f"/api/v2/webhook_events/{old.pk}").status_code == 404


def test_what_other_dialects_were_sent_is_not_listed(program, account):
    DeliveryFactory(account=account)

    assert program.get("/api/v2/webhook_events").json() == []


def test_a_part_may_be_asked_for(program, sent):
    answer = program.get("/api/v2/webhook_events?limit=1&offset=1")

    assert [event["event"] for event in answer.json()] == ["lead.creation"]
    assert answer["X-TOTAL-COUNT"] == "2"


def test_only_administrators_see_them(logged_in, user, seller, sent):
    number = Delivery.objects.earliest("pk").pk

    for path in ("", f"/{number}"):
        assert logged_in(user).get(f"/api/v2/webhook_events{path}").status_code == 200
        refused = logged_in(seller).get(f"/api/v2/webhook_events{path}")
        assert (refused.status_code, refused.json()["type"]) == (401, "unauthorized_privileges")


def test_the_list_costs_as_many_queries_for_many_as_for_few(program, sent, user, queries):
    few = queries("/api/v2/webhook_events")
    for number in range(10):
        create_lead(sent.account, by=user, title=f"Lead {number}", owner=user)

    assert queries("/api/v2/webhook_events") == few
    assert len(program.get("/api/v2/webhook_events").json()) == 12
