"""What happened to a lead, as this API tells it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm.comments import create_comment
from crm.leads import assign_lead, create_lead, update_lead
from crm.models import Step
from pipelime.events.models import Event
from pipelime.events.recording import record
from tests.api.moments import in_milliseconds
from tests.factories import CompanyFactory, EventFactory, LeadFactory, MessageFactory, UserFactory


@pytest.fixture
def juliette(furnished):
    return UserFactory(
        account=furnished, first_name="Juliette", last_name="Rose", email="juliette@example.com"
    )


@pytest.fixture
def lead(furnished, user):
    return create_lead(furnished, by=user, title="Acme", owner=user)


@pytest.fixture
def story(lead, furnished, user, juliette):
    """One action of every kind, by two people."""
    update_lead(lead, by=user, amount=2600, probability=60)
    comment = create_comment(lead, by=user, content="Hello")
    update_lead(lead, by=user, step=Step.objects.get(name="In-touch"), title="Acme Inc.")
    assign_lead(lead, juliette, by=user)
    update_lead(lead, by=juliette, status="won")
    update_lead(lead, by=juliette, client_folder=CompanyFactory(account=furnished, name="Series"))
    return comment


def asked(client, lead, query: str = ""):
    return client.get(f"/api/v2/leads/{lead.pk}/action_histories{query}")


def kinds(client, lead, query: str = "") -> list[str]:
    answer = asked(client, lead, query)
    assert answer.status_code == 200, answer.content
    return [action["action_type"] for action in answer.json()]


ALL = [
    "lead_created", "amount_set", "comment_added", "step_changed", "user_assigned", "status_changed",
    "client_assigned",
]  # fmt: skip


def test_actions_are_told_in_their_order(program, lead, story):
    assert kinds(program, lead) == ALL
    assert kinds(program, lead, "?direction=desc") == ALL[::-1]


def test_each_kind_tells_what_came_of_it(program, lead, story, juliette):
    actions = {action["action_type"]: action for action in asked(program, lead).json()}

    step = Step.objects.get(name="In-touch")
    items = {kind: action["action_item"] for kind, action in actions.items()}
    assert items == {
        "lead_created": {"type": "lead_created", "id": lead.pk},
        "amount_set": {
            "type": "amount_set", "id": actions["amount_set"]["id"], "amount": 2600.0, "probability": 60,
            "currency": "USD",
        },
        "comment_added": {"type": "comment_added", "id": story.pk},
        "step_changed": {"type": "step_changed", "id": step.pk, "name": "In-touch", "position": 2},
        "user_assigned": {
            "type": "user_assigned", "id": juliette.pk, "firstname": "Juliette", "lastname": "Rose",
            "email": "juliette@example.com",
        },
        "status_changed": {"type": "status_changed", "id": 3, "name": "won"},
        "client_assigned": {"type": "client_assigned", "id": lead.client_folder_id, "name": "Series"},
    }  # fmt: skip


def test_an_action_tells_who_did_it_and_when(program, lead, user):
    event = Event.objects.about(lead).get()

    [action] = asked(program, lead).json()

    assert action == {
        "id": event.pk, "lead_id": lead.pk, "action_type": "lead_created",
        "action_item": {"type": "lead_created", "id": lead.pk},
        "created_at": in_milliseconds(event.at),
        "user": {
            "id": user.pk, "lastname": user.last_name, "firstname": "Ada", "email": user.email, "phone": "",
            "mobile_phone": "",
        },
    }  # fmt: skip


def test_what_the_machine_did_was_nobody(program, furnished):
    lead = create_lead(furnished, by=None, title="Acme")

    assert asked(program, lead).json()[0]["user"] is None


def test_nobody_and_nothing_are_told_as_such(program, lead, furnished, user):
    folder = CompanyFactory(account=furnished)
    update_lead(lead, by=user, amount=5, client_folder=folder)
    update_lead(lead, by=user, amount=None, client_folder=None)
    assign_lead(lead, None, by=user)

    items = [action["action_item"] for action in asked(program, lead, "?direction=desc").json()]

    assert items[0] == {
        "type": "user_assigned", "id": None, "firstname": None, "lastname": None, "email": None
    }  # fmt: skip
    assert {"type": "client_assigned", "id": None, "name": None} in items
    assert [item["amount"] for item in items if item["type"] == "amount_set"] == [None, 5.0]


def test_a_mail_that_was_sent_is_an_action(
    program, lead, furnished, user, django_capture_on_commit_callbacks
):
    message = MessageFactory(account=furnished, lead=lead)
    record("message.sent", message, by=user)

    action = asked(program, lead).json()[-1]

    assert action["action_item"] == {"type": "email_sent", "id": message.pk}


@pytest.mark.parametrize("kind", ALL)
def test_one_kind_alone(program, lead, story, kind):
    assert kinds(program, lead, f"?action_type={kind}") == [kind]


def test_a_status_narrows_its_kind(program, lead, user):
    for status in ("won", "lost", "won"):
        update_lead(lead, by=user, status=status)

    def names(query: str) -> list[str]:
        actions = asked(program, lead, f"?action_type=status_changed{query}").json()
        return [action["action_item"]["name"] for action in actions]

    assert names("&action_value=won") == ["won", "won"]
    assert names("&action_value=LOST") == ["lost"]
    assert names("&action_value=sold") == ["won", "lost", "won"]
    assert names("") == ["won", "lost", "won"]


def test_a_step_narrows_its_kind(program, lead, user):
    steps = {step.name: step for step in Step.objects.all()}
    for name in ("In-touch", "Closing", "In-touch"):
        update_lead(lead, by=user, step=steps[name])

    def names(value) -> list[str]:
        actions = asked(program, lead, f"?action_type=step_changed&action_value={value}").json()
        return [action["action_item"]["name"] for action in actions]

    assert names("Closing") == ["Closing"]
    assert names(steps["In-touch"].pk) == ["In-touch", "In-touch"]
    assert names("Nowhere") == ["In-touch", "Closing", "In-touch"]
    assert names(987654321) == ["In-touch", "Closing", "In-touch"]


def test_a_value_alone_narrows_nothing(program, lead, story):
    assert kinds(program, lead, "?action_value=won") == ALL
    assert kinds(program, lead, "?action_type=lead_created&action_value=won") == ["lead_created"]


def test_a_step_that_is_gone_keeps_its_name(program, lead, furnished, user):
    old, new = Step.objects.all()[:2]
    update_lead(lead, by=user, step=new)
    update_lead(lead, by=user, step=old)
    new.delete()

    items = [action["action_item"] for action in asked(program, lead, "?action_type=step_changed").json()]

    assert [(item["name"], item["position"]) for item in items] == [(new.name, None), (old.name, 1)]


def test_actions_of_some_people(program, lead, story, user, juliette):
    assert kinds(program, lead, f"?user_ids={juliette.pk}") == ["status_changed", "client_assigned"]
    assert kinds(program, lead, "?user_ids=juliette@example.com") == ["status_changed", "client_assigned"]
    assert kinds(program, lead, f"?user_ids={user.pk},juliette@example.com") == ALL


def test_actions_between_two_moments(program, lead, furnished):
    lead_created = Event.objects.about(lead).get()
    for day in (1, 2, 3):
        EventFactory(
            account=furnished, name="lead.created", at=datetime(2030, 3, day, 12, tzinfo=UTC),
            subject_type="lead", subject_id=lead.pk, subject_uid=lead.uid, data={"object": {}},
        )  # fmt: skip
    lead_created.delete()

    def days(query: str) -> list[str]:
        return [action["created_at"][8:10] for action in asked(program, lead, query).json()]

    assert days("?from=2030-03-02") == ["02", "03"]
    assert days("?to=2030-03-02") == ["01", "02"]
    assert days("?from=2030-03-02T12:00:00Z&to=2030-03-02T12:00:00Z") == ["02"]
    assert days("?from=2030-03-02 05:00:01") == ["03"]  # Denver's morning, seven hours behind


def test_a_hundred_at_most_are_told_and_all_are_counted(program, lead, furnished):
    for _ in range(100):
        EventFactory(
            account=furnished, name="lead.created", subject_type="lead", subject_id=lead.pk,
            subject_uid=lead.uid, data={"object": {}},
        )  # fmt: skip

    assert len(asked(program, lead).json()) == 100
    assert len(asked(program, lead, "?limit=500").json()) == 100
    assert len(asked(program, lead, "?limit=3").json()) == 3
    assert asked(program, lead, "?limit=3")["X-TOTAL-COUNT"] == "101"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?action_type=sold", "Parameter action_type not recognized."),
        ("?direction=up", "Parameter direction not recognized."),
        ("?limit=0", "Parameter limit not recognized."),
        ("?limit=x", "Parameter limit not recognized."),
        ("?user_ids=nobody@example.com", "Parameter user_ids not recognized."),
        ("?from=soon", "The date from is not formatted properly"),
        ("?to=soon", "The date to is not formatted properly"),
    ],
)
def test_what_cannot_be_meant_is_refused(program, lead, query, message):
    answer = asked(program, lead, query)

    assert (answer.status_code, answer.json()["message"]) == (400, message)


def test_a_history_out_of_sight_does_not_exist(logged_in, furnished, seller, lead):
    furnished.lead_visibility = "own"
    furnished.save()

    assert asked(logged_in(seller), lead).status_code == 404


def test_a_long_history_costs_what_a_short_one_does(lead, furnished, user, queries):
    path = f"/api/v2/leads/{lead.pk}/action_histories"
    steps = list(Step.objects.all())
    update_lead(lead, by=user, step=steps[1])
    assign_lead(lead, UserFactory(account=furnished), by=user)
    few = queries(path)
    for step in steps[2:]:
        somebody = UserFactory(account=furnished)
        update_lead(lead, by=somebody, step=step, owner=somebody)

    assert queries(path) == few


def test_other_leads_have_histories_of_their_own(program, lead, furnished):
    assert kinds(program, LeadFactory(account=furnished)) == []
