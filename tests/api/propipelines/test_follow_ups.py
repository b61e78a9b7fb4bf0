"""Follow-ups of leads, with how far their tasks are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from pipelime.api.propipelines.parameters import moment
from tests.factories import FollowUpFactory, FollowUpTaskFactory, LeadFactory, TagFactory

SOON, LATER = datetime(2030, 1, 31, 9, tzinfo=UTC), datetime(2030, 2, 1, 9, tzinfo=UTC)


@pytest.fixture
def follow_up(account, user):
    lead = LeadFactory(account=account, owner=user)
    made = FollowUpFactory(account=account, lead=lead, title="Delivery", description="To do", owner=user)
    made.tags.set([TagFactory(account=account, name="Zebra"), TagFactory(account=account, name="ant")])
    FollowUpTaskFactory(account=account, follow_up=made, status="standby", due_at=LATER)
    FollowUpTaskFactory(account=account, follow_up=made, status="standby", due_at=SOON)
    FollowUpTaskFactory(
        account=account, follow_up=made, status="done", due_at=datetime(2029, 1, 1, tzinfo=UTC)
    )
    return made


def numbers(client, query: str = "") -> list[int]:
    return [item["id"] for item in client.get(f"/api/v2/follow_ups{query}").json()]


def test_a_follow_up_tells_its_tasks_and_what_comes_next(program, user, follow_up):
    answer = program.get(f"/api/v2/follow_ups?lead_id={follow_up.lead_id}")

    assert answer.json() == [
        {
            "id": follow_up.pk, "title": "Delivery", "description": "To do", "lead_id": follow_up.lead_id,
            "user_id": user.pk, "status": "todo", "tags": ["ant", "Zebra"], "tasks_count": 3,
            "tasks_done_count": 1, "next_action_at": "2030-01-31T09:00:00.000Z",
            "created_at": moment(follow_up.created_at), "updated_at": moment(follow_up.updated_at),
        }
    ]  # fmt: skip
    assert answer["X-TOTAL-COUNT"] == "1"


def test_without_a_task_nothing_comes_next(program, account):
    FollowUpFactory(account=account)

    [answer] = program.get("/api/v2/follow_ups").json()

    assert (answer["tasks_count"], answer["tasks_done_count"], answer["next_action_at"]) == (0, 0, None)


def test_follow_ups_are_those_of_one_lead_or_of_all(program, account, follow_up):
    other = FollowUpFactory(account=account)
    FollowUpFactory()
    FollowUpFactory(account=account, lead__deleted_at=timezone.now())

    assert numbers(program) == [follow_up.pk, other.pk]
    assert numbers(program, f"?lead_id={other.lead_id}") == [other.pk]
    assert numbers(program, "?lead_id=987654321") == []
    assert numbers(program, "?limit=1&offset=1") == [other.pk]


def test_a_lead_is_named_by_a_number(program):
    answer = program.get("/api/v2/follow_ups?lead_id=Acme")

    assert (answer.status_code, answer.json()["message"]) == (400, "Parameter lead_id not recognized.")


def test_people_see_the_follow_ups_of_leads_that_they_see(logged_in, account, user, seller, follow_up):
    account.lead_visibility = "own"
    account.save()

    assert numbers(logged_in(seller), f"?lead_id={follow_up.lead_id}") == []
    assert numbers(logged_in(user)) == [follow_up.pk]


def test_twenty_follow_ups_take_as_many_queries_as_one(account, follow_up, queries):
    one = queries("/api/v2/follow_ups")

    for _ in range(20):
        task = FollowUpTaskFactory(account=account)
        task.follow_up.tags.set([TagFactory(account=account)])

    assert queries("/api/v2/follow_ups") == one
