"""The simplified API: one GET, one change."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from crm.leads import create_lead
from crm.models import Activity, ActivityType, Comment, Lead, Step
from pipelime.accounts.keys import create_key
from pipelime.api.propipelines.simple import ACTIONS
from tests.api.dialects import DIALECTS
from tests.api.propipelines.test_leads import NOT_FOUND
from tests.factories import LeadFactory, UserFactory
from tests.threads import all_at_once


@pytest.fixture
def lead(furnished, user):
    return create_lead(furnished, by=user, title="Acme", description="Email: a@b.example", owner=user)


def asked(client, lead, action: str, query: str = ""):
    return client.get(f"/api/simple/leads/{lead.pk}/{action}{query}")


def changed(client, lead, action: str, query: str = "") -> dict:
    answer = asked(client, lead, action, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_lead_is_answered_as_the_other_api_does(program, lead):
    answer = changed(program, lead, "won")

    assert answer == program.get(f"/api/v2/leads/{lead.pk}").json()
    assert answer["status"] == "Won"


@pytest.mark.parametrize("status", ["lost", "cancelled", "won", "todo"])
def test_a_status_is_an_action(program, lead, status):
    assert changed(program, lead, status)["status"] == status.capitalize()


def test_tags_are_added_to_those_there(program, lead):
    changed(program, lead, "add_tag", "?tag=US")

    assert changed(program, lead, "add_tag", "?tag=small")["tags"] == ["small", "US"]
    assert changed(program, lead, "add_tag", "?tag=us")["tags"] == ["small", "US"]


def test_words_are_appended_to_the_description(program, lead, furnished):
    answer = changed(program, lead, "append_to_description", "?to_append=Phone: 801 274 6798")

    assert answer["description"] == "Email: a@b.example\nPhone: 801 274 6798"
    assert answer["extended_info"]["fields"]["phone"] == "801 274 6798"
    bare = LeadFactory(account=furnished)
    assert changed(program, bare, "append_to_description", "?to_append=Hello")["description"] == "Hello"


@pytest.mark.django_db(transaction=True)
def test_what_several_add_at_once_all_stays(program, lead, raw_key):
    def add(number: int) -> list[int]:
        client = APIClient(headers={"X-API-KEY": raw_key})
        tagged = asked(client, lead, "add_tag", f"?tag={number}")
        described = asked(client, lead, "append_to_description", f"?to_append=Line {number}")
        return [tagged.status_code, described.status_code]

    assert all_at_once([partial(add, number) for number in range(4)]) == [[200, 200]] * 4

    lead.refresh_from_db()
    assert sorted(tag.name for tag in lead.tags.all()) == ["0", "1", "2", "3"]
    assert sorted(lead.description.splitlines()) == [
        "Email: a@b.example", "Line 0", "Line 1", "Line 2", "Line 3",
    ]  # fmt: skip


def test_standby_lasts_days_of_the_account(program, lead, monkeypatch):
    # The 2nd of March in UTC is still the 1st in Denver.
    monkeypatch.setattr(timezone, "now", lambda: datetime(2030, 3, 2, 5, tzinfo=UTC))
    call = ActivityType.objects.get(name="Call")

    answer = changed(program, lead, "standby", f"?days=3&activity_id={call.pk}")

    lead.refresh_from_db()
    assert (answer["status"], answer["remind_date"]) == ("Standby", "2030-03-04")
    assert (lead.reminder_activity, lead.remind_date) == (call, date(2030, 3, 4))


def test_an_activity_with_words_is_a_comment(program, lead, furnished):
    call, juliette = ActivityType.objects.get(name="Call"), UserFactory(account=furnished)

    query = f"?activity_id={call.pk}&user_id={juliette.email}&content=They call back"
    answer = changed(program, lead, "add_activity", query)

    comment = Comment.objects.get()
    assert (comment.content, comment.author, comment.activity_type) == ("They call back", juliette, call)
    assert answer["extended_info"]["comment_count"] == 1
    assert not Activity.objects.exists()


def test_an_activity_without_words_is_logged(program, lead, user):
    call = ActivityType.objects.get(name="Call")

    changed(program, lead, "add_activity", f"?activity_id={call.pk}&user_id={user.pk}")

    activity = Activity.objects.get()
    assert (activity.lead, activity.type, activity.user) == (lead, call, user)


def test_a_lead_moves_by_name_or_id_and_to_the_next_step(program, lead):
    closing = Step.objects.get(name="Closing")

    assert changed(program, lead, "next_step")["step"] == "In-touch"
    assert changed(program, lead, "move_to_step", f"?step_id={closing.pk}")["step"] == "Closing"
    assert changed(program, lead, "move_to_step", "?step=Qualification")["step"] == "Qualification"


def test_after_the_last_step_there_is_none(program, lead):
    changed(program, lead, "move_to_step", "?step=Closing")

    answer = asked(program, lead, "next_step")

    assert answer.status_code == 422
    assert "last step" in answer.json()["message"]


def test_a_lead_is_copied(program, lead):
    answer = changed(program, lead, "duplicate_lead", "?step=Closing")

    assert answer["id"] != lead.pk
    assert (answer["title"], answer["step"]) == ("Acme", "Closing")
    assert changed(program, lead, "duplicate_lead")["step"] == "Incoming"


def test_a_lead_is_given_to_somebody(program, lead, furnished):
    juliette = UserFactory(account=furnished)

    assert changed(program, lead, "assign", f"?user_id={juliette.email}")["user_id"] == juliette.pk


@pytest.mark.parametrize(
    ("action", "query", "status", "message"),
    [
        ("add_tag", "", 422, "Missing required parameter: tag"),
        ("append_to_description", "?to_append=", 422, "Missing required parameter: to_append"),
        ("add_activity", "?user_id=1", 422, "Missing required parameter: activity_id"),
        ("add_activity", "?activity_id=987654321&user_id=1", 400, "Parameter activity_id not recognized."),
        ("standby", "", 422, "Missing required parameter: days"),
        ("standby", "?days=0", 400, "Parameter days not recognized."),
        ("standby", "?days=soon", 400, "Parameter days not recognized."),
        ("move_to_step", "", 422, "Missing required parameter: step_id"),
        ("move_to_step", "?step=Nowhere", 404, NOT_FOUND),
        ("duplicate_lead", "?step=Nowhere", 404, NOT_FOUND),
        ("assign", "", 422, "Missing required parameter: user_id"),
        ("assign", "?user_id=nobody@example.com", 400, "Parameter user_id not recognized."),
    ],
)
def test_what_cannot_be_meant_changes_nothing(program, lead, action, query, status, message):
    before = Lead.objects.values().get(pk=lead.pk)

    answer = asked(program, lead, action, query)

    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert Lead.objects.values().get() == before


def test_an_activity_needs_somebody(program, lead):
    call = ActivityType.objects.get(name="Call")

    answer = asked(program, lead, "add_activity", f"?activity_id={call.pk}")

    assert (answer.status_code, answer.json()["message"]) == (422, "Missing required parameter: user_id")


@pytest.mark.parametrize("action", ACTIONS)
def test_only_programs_may(logged_in, user, lead, action):
    answer = asked(logged_in(user), lead, action)

    assert answer.status_code == 401
    assert "You have to use the API key method" in answer.json()["message"]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_key_that_may_only_read_changes_nothing(furnished, user, lead, action):
    _, raw = create_key(furnished, name="reader", scopes=["leads:read"], by=user)
    before = Lead.objects.values().get()
    [reader] = [each.client(raw) for each in DIALECTS.values() if each.name == "propipelines"]

    assert asked(reader, lead, action).status_code == 401
    assert Lead.objects.values().get() == before


def test_only_a_get_acts(program, lead):
    path = f"/api/simple/leads/{lead.pk}/won"

    assert [program.head(path).status_code, program.post(path).status_code] == [405, 405]
    lead.refresh_from_db()
    assert lead.status == "todo"


def test_other_paths_are_not_found_in_the_same_words(program):
    answer = program.get("/api/simple/leads/1/explode")

    assert (answer.status_code, answer.json()["message"]) == (404, NOT_FOUND)
