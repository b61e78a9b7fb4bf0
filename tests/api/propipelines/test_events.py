"""Every event of the document's tables happens when it should, under its name, and tells what it should."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from django.utils import timezone

from crm.comments import create_comment, update_comment
from crm.companies import create_company
from crm.contacts import create_contact
from crm.fields import create_field, delete_field, update_field
from crm.follow_ups import add_task, create_follow_up, update_task
from crm.leads import create_lead, delete_lead, restore_lead, update_lead
from crm.models import Lead, Pipeline, Step
from crm.pipelines import create_step, delete_step, update_pipeline, update_step
from crm.prospecting import add_prospects, create_list
from pipelime.accounts.teams import create_team
from pipelime.api.propipelines.event_names import ADVANCED, ANY_UPDATE, BASIC
from pipelime.api.propipelines.events import dialect
from pipelime.events.models import Event
from pipelime.events.recording import record_all
from tests.api.moments import in_milliseconds
from tests.factories import LeadFactory, UserFactory
from webhooks.endpoints import create_endpoint, trigger
from webhooks.models import Delivery
from webhooks.replaying import replay

ELIZABETH = (
    "Firstname: Elizabeth\nLastname: Swan\nFull name: Elizabeth Swan\nEmail: e.swan@bountiful.corp\n"
    "Mobile: +1 801 563 9999"
)
SUBSCRIBED = [*BASIC, *ADVANCED, "lead.step.changed.to.Sales.To_call"]


@pytest.fixture
def sales(furnished, user) -> Pipeline:
    """A pipeline with two steps, of names as people give them."""
    pipeline = Pipeline.objects.get(is_default=True)
    update_pipeline(pipeline, by=user, name="Sales")
    first = pipeline.steps.first()
    update_step(first, by=user, name="Incoming")
    create_step(pipeline, by=user, name="To call", position=2)
    return pipeline


@pytest.fixture
def lead(sales, furnished, user) -> Lead:
    return create_lead(furnished, by=user, title="Bountiful", owner=user)


@pytest.fixture
def task(lead, user):
    return add_task(create_follow_up(lead, by=user, title="Onboard"), by=user, title="Call")


@pytest.fixture
def subscribed(lead, task, user) -> None:
    """One webhook for each of the events, made after everything else."""
    for name in SUBSCRIBED:
        subscribe(lead.account, name, user)


def subscribe(account, name: str, user, **facts):
    target = facts or {"url": f"https://hooks.example.com/{name.replace(' ', '')}"}
    return create_endpoint(account, by=user, dialect="propipelines", events=[name], **target)[0]


def told() -> list[str]:
    """The names under which something was sent."""
    return sorted(Delivery.objects.values_list("event_name", flat=True))


def bodies() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("body", flat=True))


def body() -> dict:
    return orjson.loads(Delivery.objects.get().body)


def test_a_new_lead_of_somebody(subscribed, account, user):
    create_lead(account, by=user, title="New", owner=user)

    assert told() == ["lead.creation"]


def test_a_new_lead_of_nobody(subscribed, account, user):
    create_lead(account, by=user, title="New")

    assert told() == ["lead.creation", "lead.unassigned"]


@pytest.mark.parametrize("status", ["cancelled", "lost", "standby", "won"])
def test_a_status_is_told_in_general_and_by_name(subscribed, lead, user, status):
    day = {"remind_date": datetime(2030, 1, 31, tzinfo=UTC).date()} if status == "standby" else {}
    update_lead(lead, by=user, status=status, **day)

    assert told() == [ANY_UPDATE, "lead.status.changed", f"lead.status.changed.to.{status}"]


def test_a_lead_that_is_to_do_again(subscribed, lead, user):
    update_lead(lead, by=user, status="lost")
    Delivery.objects.all().delete()

    update_lead(lead, by=user, status="todo")

    assert told() == [ANY_UPDATE, "lead.status.changed", "lead.status.changed.to.todo"]


def test_a_step_is_told_in_general_and_by_name(subscribed, lead, sales, user):
    update_lead(lead, by=user, step=sales.steps.get(name="To call"))

    assert told() == [ANY_UPDATE, "lead.step.changed", "lead.step.changed.to.Sales.To_call"]


def test_another_step_is_told_in_general_only(subscribed, lead, sales, user):
    update_lead(lead, by=user, step=create_step(sales, by=user, name="Signing"))

    assert told() == ["account.step.created", ANY_UPDATE, "lead.step.changed"]


@pytest.mark.parametrize(
    "written", ["SALES.TO_CALL", "sales.to call", "Sales.To call", "Sales.to_Call", "sales.To  call"]
)
def test_a_step_s_name_may_be_written_in_any_case_with_blanks_or_underscores(lead, sales, user, written):
    subscribe(lead.account, f"lead.step.changed.to.{written}", user)

    update_lead(lead, by=user, step=sales.steps.get(name="To call"))

    assert told() == [f"lead.step.changed.to.{written}"]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"title": "Renamed"}, [ANY_UPDATE]),
        ({"amount": 12}, [ANY_UPDATE]),
        ({"tags": ["warm"]}, [ANY_UPDATE]),
        ({"starred": True}, [ANY_UPDATE]),
        ({"description": "Email: a@b.example"}, [ANY_UPDATE, "lead.content_has_changed"]),
        ({"title": "Bountiful"}, []),
    ],
)
def test_other_changes_of_a_lead(subscribed, lead, user, changes, names):
    update_lead(lead, by=user, **changes)

    assert told() == names


def test_a_lead_goes_to_somebody_else_and_to_nobody(subscribed, lead, user):
    update_lead(lead, by=user, owner=UserFactory(account=lead.account))
    assert told() == [ANY_UPDATE, "lead.assigned"]
    Delivery.objects.all().delete()

    update_lead(lead, by=user, owner=None)
    assert told() == [ANY_UPDATE, "lead.unassigned"]


def test_a_lead_is_filed_under_a_client(subscribed, lead, user):
    update_lead(
        lead, by=user, client_folder=create_company(lead.account, by=user, name="Red", is_client=True)
    )

    assert told() == [ANY_UPDATE]


def test_a_lead_is_deleted_and_comes_back(subscribed, lead, user):
    delete_lead(lead, by=user)
    assert told() == ["lead.deleted"]
    Delivery.objects.all().delete()

    restore_lead(lead, by=user)
    assert told() == [ANY_UPDATE]


def test_comments_of_leads_are_told_when_they_are_written(subscribed, lead, user):
    comment = create_comment(lead, by=user, content="Called back")
    assert told() == ["lead.commented"]

    update_comment(comment, by=user, content="Called back twice")
    create_comment(create_contact(lead.account, by=user, email="a@b.example"), by=user, content="Nice")
    assert told() == ["lead.commented"]


def test_prospects_are_told_one_by_one(subscribed, account, user):
    prospects = create_list(account, by=user, title="Fair", columns=["Name"], rows=[["Ada"], ["Grace"]])
    add_prospects(prospects, [["Edith"]], by=user)

    assert told() == ["prospect.created"] * 3


@pytest.mark.parametrize("status", ["done", "standby"])
def test_a_task_s_status_is_told_in_general_and_by_name(subscribed, task, user, status):
    due = {"due_at": datetime(2030, 1, 31, tzinfo=UTC)} if status == "standby" else {}
    update_task(task, by=user, status=status, **due)

    assert told() == ["task.status.changed", f"task.status.changed.to.{status}"]


def test_a_task_that_is_to_do_again(subscribed, task, user):
    update_task(task, by=user, status="done")
    Delivery.objects.all().delete()

    update_task(task, by=user, status="todo")

    assert told() == ["task.status.changed", "task.status.changed.to.todo"]


def test_a_task_s_other_changes_are_not_told(subscribed, task, user):
    update_task(task, by=user, title="Call twice")
    add_task(task.follow_up, by=user, title="Write")

    assert told() == []


def test_steps_and_pipelines_are_told(subscribed, sales, user):
    step = create_step(sales, by=user, name="Signing")
    update_step(step, by=user, name="Signed")
    delete_step(step, by=user)
    update_pipeline(sales, by=user, name="Direct sales")

    assert told() == [
        "account.pipeline.updated", "account.step.created", "account.step.deleted", "account.step.updated",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["lead", "company"])
def test_fields_of_leads_and_clients_are_told(subscribed, account, user, kind):
    field = create_field(account, by=user, kind=kind, name="Budget")
    update_field(field, by=user, name="Means")
    delete_field(field, by=user)

    names = ("created", "deleted", "updated")
    assert told() == [f"account.default_field.{name}" for name in names]


def test_fields_of_contacts_are_none_of_this_api(subscribed, account, user):
    create_field(account, by=user, kind="contact", name="Budget")

    assert told() == []


def test_a_lead_is_triggered_for_the_one_webhook_that_was_chosen(subscribed, lead, user):
    chosen = subscribe(lead.account, "lead.manual.trigger", user, url="https://hooks.example.com/chosen")

    delivery = trigger(lead, chosen, by=user)

    assert told() == ["lead.manual.trigger"]
    assert delivery.endpoint == chosen
    assert orjson.loads(delivery.body)["title"] == "Bountiful"
    assert Event.objects.get(name="lead.triggered").data["endpoint"]["number"] == chosen.pk


def test_what_is_told_of_a_lead(sales, furnished, user, settings):
    user.first_name, user.last_name = "Stéphanie", "Stone"
    user.save()
    team = create_team(furnished, by=user, name="Web Sales", members=[(user, True)])
    folder = create_company(
        furnished, by=user, name="Series", is_client=True, description="Billing address: 123 heaven avenue"
    )
    subscribe(furnished, "lead.creation", user)

    lead = create_lead(
        furnished, by=user, title="Bountiful", description=ELIZABETH, amount=1500, probability=100,
        starred=True, owner=user, client_folder=folder, tags=["test", "prospect"],
    )  # fmt: skip

    lead.refresh_from_db()
    person = {"id": user.pk, "lastname": "Stone", "firstname": "Stéphanie", "email": user.email}
    shown = body()
    fields = {name: value for name, value in shown.pop("fields").items() if value is not None}
    info = shown.pop("extended_info")
    assert shown.pop("client") == shown["client_folder"]
    assert fields == {
        "email": "e.swan@bountiful.corp",
        "first_name": "Elizabeth",
        "last_name": "Swan",
        "full_name": "Elizabeth Swan",
        "mobile": "+1 801 563 9999",
    }
    assert (info["created_by"], info["created_by_id"]) == (person, user.pk)
    assert info["fields_by_name"]["Firstname"] == "Elizabeth"
    assert shown == {
        "id": lead.pk,
        "title": "Bountiful",
        "description": ELIZABETH.replace("\n", "<br />"),
        "text_description": ELIZABETH,
        "amount": 1500.0,
        "currency": "USD",
        "probability": 100,
        "reminder_at": None,
        "reminder_duration": None,
        "reminder_activity_id": None,
        "reminder_activity_name": None,
        "reminder_note": None,
        "closed_at": None,
        "estimated_closing_date": None,
        "remind_date": None,
        "next_action_at": None,
        "updated_at": in_milliseconds(lead.updated_at),
        "created_at": in_milliseconds(lead.created_at),
        "starred": True,
        "status": "Todo",
        "step": "Incoming",
        "step_id": lead.step_id,
        "pipeline": "Sales",
        "tags": ["prospect", "test"],
        "contact_email": "e.swan@bountiful.corp",
        "first_contact_email": "e.swan@bountiful.corp",
        "all_contact_emails": ["e.swan@bountiful.corp"],
        "permalink": f"{settings.PIPELIME_URL}/leads/{lead.pk}",
        "comment_count": 0,
        "bcc_count": 0,
        "team": {
            "id": team.pk,
            "name": "Web Sales",
            "users": [{**person, "is_manager": True}],
            "updated_at": in_milliseconds(team.updated_at),
            "created_at": in_milliseconds(team.created_at),
        },
        "user": person,
        "client_folder": {
            "id": folder.pk,
            "name": "Series",
            "description": "Billing address: 123 heaven avenue",
            "is_active": True,
            "created_at": in_milliseconds(folder.created_at),
        },
    }


def test_a_lead_of_nobody_has_neither_user_nor_team(sales, furnished, user):
    subscribe(furnished, "lead.unassigned", user)

    create_lead(furnished, by=user, title="Lost sheep")

    shown = body()
    assert (shown["user"], shown["team"], shown["client_folder"]) == (None, None, None)
    assert (shown["first_contact_email"], shown["all_contact_emails"]) == (None, [])
    assert (shown["amount"], shown["starred"]) == (None, None)


def test_the_comments_go_to_mail_addresses_only(lead, user):
    create_comment(lead, by=user, content="First")
    subscribe(lead.account, "lead.commented", user)
    subscribe(lead.account, "lead.commented", user, target_type="email", email="ada@example.com")

    create_comment(lead, by=user, content="Second")

    by_url, by_mail = (
        orjson.loads(body) for body in Delivery.objects.order_by("pk").values_list("body", flat=True)
    )
    assert "comments" not in by_url
    assert [comment["content"] for comment in by_mail["comments"]] == ["First", "Second"]


def test_what_is_told_of_a_prospect(furnished, user):
    subscribe(furnished, "prospect.created", user)

    prospects = create_list(
        furnished, by=user, title="Fair", columns=["Name", "City"], rows=[["Ada", "London"]]
    )

    assert body() == {
        "id": prospects.prospects.get().pk,
        "lead_id": None,
        "is_active": True,
        "content": ["Ada", "London"],
        "spreadsheet_id": prospects.pk,
    }


def test_what_is_told_of_a_task(lead, task, user):
    subscribe(lead.account, "task.status.changed.to.done", user)

    update_task(task, by=user, status="done")

    assert body() == {
        "id": task.pk,
        "title": "Call",
        "status": "done",
        "due_at": None,
        "follow_up_id": task.follow_up_id,
        "lead_id": lead.pk,
        "user_id": None,
    }


def test_a_deleted_step_is_told_with_its_pipeline(sales, user):
    step = create_step(sales, by=user, name="Signing")
    number, position = step.pk, step.position
    subscribe(sales.account, "account.step.deleted", user)

    delete_step(step, by=user)

    assert body() == {
        "id": number,
        "name": "Signing",
        "position": position,
        "pipeline_id": sales.pk,
        "pipeline": {"id": sales.pk, "name": "Sales"},
    }


def test_what_is_told_of_a_pipeline_and_of_a_field(sales, furnished, user):
    subscribe(furnished, "account.pipeline.updated", user)
    subscribe(furnished, "account.default_field.created", user)

    update_pipeline(sales, by=user, name="Direct")
    field = create_field(furnished, by=user, kind="company", name="VAT", meaning="vat")

    assert [orjson.loads(row.body) for row in Delivery.objects.order_by("pk")] == [
        {"id": sales.pk, "name": "Direct", "is_default": True},
        {"id": field.pk, "name": "VAT", "type": "vat", "parent_type": "client"},
    ]


def test_what_was_missed_is_told_as_it_was(lead, sales, user):
    hook = subscribe(lead.account, "lead.status.changed.to.won", user)
    hook.disabled_at = hook.created_at
    hook.save()
    since = datetime(2020, 1, 1, tzinfo=UTC)
    update_lead(lead, by=user, status="won")
    update_lead(lead, by=user, title="Renamed later")
    hook.disabled_at = None
    hook.save()

    assert replay(hook, by=user, since=since) == 1

    assert (body()["title"], body()["status"]) == ("Bountiful", "Won")


def test_one_save_is_one_update_whatever_changed(subscribed, lead, user):
    update_lead(lead, by=user, title="Renamed", status="won", amount=10, description="Called")

    assert told() == [
        ANY_UPDATE, "lead.content_has_changed", "lead.status.changed", "lead.status.changed.to.won",
    ]  # fmt: skip
    assert [event.name for event in Event.objects.history_of(lead).order_by("pk")][-4:] == [
        "lead.updated", "lead.description_changed", "lead.status_changed", "lead.amount_changed",
    ]  # fmt: skip
    update = Delivery.objects.get(event_name=ANY_UPDATE)
    told_of = orjson.loads(update.body)
    assert (told_of["title"], told_of["status"], told_of["amount"]) == ("Renamed", "Won", 10.0)


def test_each_save_is_an_update_of_its_own(lead, user):
    subscribe(lead.account, ANY_UPDATE, user)

    update_lead(lead, by=user, title="Renamed", status="won")
    update_lead(lead, by=user, title="Renamed again", status="lost")

    assert [orjson.loads(text)["status"] for text in bodies()] == ["Won", "Lost"]


def test_a_save_that_was_told_once_was_not_missed(lead, user):
    hook = subscribe(lead.account, ANY_UPDATE, user)
    since = timezone.now()
    update_lead(lead, by=user, title="Renamed", status="won")

    assert replay(hook, by=user, since=since) == 0


def test_a_missed_save_is_replayed_once(lead, user):
    since = timezone.now()
    update_lead(lead, by=user, title="Renamed", status="won")
    hook = subscribe(lead.account, ANY_UPDATE, user)
    special = subscribe(lead.account, "lead.status.changed", user)

    assert [replay(one, by=user, since=since) for one in (hook, special)] == [1, 1]

    assert told() == [ANY_UPDATE, "lead.status.changed"]


def test_our_own_webhooks_hear_every_event_of_a_save(lead, user):
    create_endpoint(lead.account, by=user, url="https://hooks.example.com/own", events=["lead.*"])

    update_lead(lead, by=user, title="Renamed", status="won")

    assert told() == ["lead.status_changed", "lead.updated"]


def test_a_trigger_is_no_event_that_others_missed(lead, user):
    chosen = subscribe(lead.account, "lead.manual.trigger", user)
    trigger(lead, chosen, by=user)
    other = subscribe(lead.account, "lead.manual.trigger", user, url="https://hooks.example.com/other")

    assert replay(other, by=user, since=datetime(2020, 1, 1, tzinfo=UTC)) == 0


@pytest.mark.parametrize("target_type", ["url", "email"])
def test_a_hundred_events_are_written_in_as_many_queries_as_one(
    sales, furnished, user, django_assert_num_queries, target_type
):
    leads = [
        LeadFactory(account=furnished, step=Step.objects.first(), owner=UserFactory(account=furnished))
        for _ in range(100)
    ]
    for one in leads:
        create_team(furnished, by=user, name=f"Team {one.pk}", members=[(one.owner, True)])
        create_comment(one, by=user, content="Called: a@b.example")
    events = record_all("lead.updated", [(one, {}) for one in leads], by=user)

    queries = 10 if target_type == "email" else 9
    for count in (1, 100):
        with django_assert_num_queries(queries):
            assert len(dialect.render(events[:count], target_type)) == count
